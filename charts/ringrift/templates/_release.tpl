{{/* The operator's configuration file. */}}
{{- define "ringrift.release" -}}
workerImage: {{ include "ringrift.image" (list . "worker") | quote }}
trainerImage: {{ include "ringrift.image" (list . "trainer") | quote }}
imagePullPolicy: {{ .Values.images.pullPolicy }}
imagePullSecrets: {{ .Values.images.pullSecrets | toJson }}
serviceAccount: {{ include "ringrift.worker" . }}
podSecurityContext: {{ .Values.podSecurityContext | toJson }}
securityContext: {{ .Values.securityContext | toJson }}
scratchSize: {{ .Values.scratchSize | quote }}
lightStages:
  image: {{ .Values.lightStages.image | quote }}
  resources:
    {{- range $name, $amount := include "ringrift.lightResources" . | fromJson }}
    {{ $name | quote }}: {{ $amount | quote }}
    {{- end }}
  deadline: {{ .Values.lightStages.deadline | quote }}
  {{- with .Values.lightStages.queue }}
  queue: {{ toJson . }}
  {{- end }}
  podTemplate: {{- toYaml .Values.lightStages.podTemplate | nindent 4 }}
{{- end }}
