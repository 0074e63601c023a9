{{/* What the Pods of `helm test` have in common. */}}

{{- define "ringrift.test" -}}
helm.sh/hook: test
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
# What they say is printed by `helm test` itself: they are gone when `--logs` would ask.
helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
{{- end }}

{{- define "ringrift.testPod" -}}
restartPolicy: Never
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end }}

{{- define "ringrift.testContainer" -}}
imagePullPolicy: {{ .Values.images.pullPolicy }}
resources:
  requests: {cpu: 100m, memory: 256Mi}
  limits: {memory: 256Mi}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
{{- end }}
