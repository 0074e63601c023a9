{{/* The operator's configuration file. */}}
{{- define "ringrift.release" -}}
workerImage: {{ .Values.images.worker | quote }}
trainerImage: {{ .Values.images.trainer | quote }}
imagePullPolicy: {{ .Values.images.pullPolicy }}
imagePullSecrets: {{ .Values.images.pullSecrets | toJson }}
serviceAccount: {{ include "ringrift.worker" . }}
lightStages:
  image: {{ .Values.lightStages.image | quote }}
  resources: {{- toYaml .Values.lightStages.resources | nindent 4 }}
  deadline: {{ .Values.lightStages.deadline | quote }}
  podTemplate: {{- toYaml .Values.lightStages.podTemplate | nindent 4 }}
{{- end }}
