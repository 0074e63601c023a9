{{/* Names and labels that several templates share. */}}

{{- define "ringrift.labels" -}}
app.kubernetes.io/name: ringrift
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "ringrift.selector" -}}
app.kubernetes.io/name: ringrift
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{/* The operator's objects: Deployment, ServiceAccount, Roles. */}}
{{- define "ringrift.operator" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}-operator
{{- end }}

{{/* The ServiceAccount of every stage's Pod; it has no rights and its Pods get no token. */}}
{{- define "ringrift.worker" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}-worker
{{- end }}

{{/* What confines runners; it has no namespace, so its name has one. */}}
{{- define "ringrift.runners" -}}
{{ .Release.Namespace }}-{{ .Release.Name | trunc 50 | trimSuffix "-" }}-runners
{{- end }}

{{/* Namespaces looked after, as a JSON object: {"namespaces": [...]}. */}}
{{- define "ringrift.namespaces" -}}
{{- dict "namespaces" (.Values.namespaces | default (list .Release.Namespace)) | toJson -}}
{{- end }}
