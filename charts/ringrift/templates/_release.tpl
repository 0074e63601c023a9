{{/* The operator's configuration file. */}}
{{- define "ringrift.release" -}}
workerImage: {{ .Values.images.worker | quote }}
trainerImage: {{ .Values.images.trainer | quote }}
imagePullPolicy: {{ .Values.images.pullPolicy }}
imagePullSecrets: {{ .Values.images.pullSecrets | toJson }}
serviceAccount: {{ include "ringrift.worker" . }}
podSecurityContext: {{ .Values.podSecurityContext | toJson }}
securityContext: {{ .Values.securityContext | toJson }}
scratchSize: {{ .Values.scratchSize | quote }}
lightStages:
  image: {{ .Values.lightStages.image | quote }}
  resources:
    {{- range $name, $amount := .Values.lightStages.resources }}
    {{ $name | quote }}: {{ $amount | quote }}
    {{- end }}
  deadline: {{ .Values.lightStages.deadline | quote }}
  podTemplate: {{- toYaml .Values.lightStages.podTemplate | nindent 4 }}
{{- end }}
