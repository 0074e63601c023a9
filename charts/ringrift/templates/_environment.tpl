{{/* What an environment says, `environments/<environment>.yaml`, where the values say nothing. */}}

{{- define "ringrift.environment" -}}
{{- with .Values.environment }}
{{- $file := $.Files.Get (printf "environments/%s.yaml" .) }}
{{- if not $file }}
{{- $known := list }}
{{- range $path, $_ := $.Files.Glob "environments/*.yaml" }}
{{- $known = append $known (base $path | trimSuffix ".yaml") }}
{{- end }}
{{- fail (printf "environment %q is not among those of this chart: %s" . (join ", " $known)) }}
{{- end }}
{{- $file }}
{{- end }}
{{- end }}

{{/* An image: `include "ringrift.image" (list . "worker")`. */}}
{{- define "ringrift.image" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $environment := include "ringrift.environment" $root | fromYaml }}
{{- get $root.Values.images $name | default (dig "images" $name "" $environment) | default (printf "ringrift-%s:%s" $name $root.Chart.AppVersion) }}
{{- end }}

{{/* The pools, as a JSON object: {"pools": [...]}. */}}
{{- define "ringrift.pools" -}}
{{- $environment := include "ringrift.environment" . | fromYaml }}
{{- dict "pools" (.Values.pools | default (dig "pools" list $environment)) | toJson }}
{{- end }}

{{/* What each Job of a light stage gets, as JSON. */}}
{{- define "ringrift.lightResources" -}}
{{- $environment := include "ringrift.environment" . | fromYaml }}
{{- .Values.lightStages.resources | default (dig "lightStages" "resources" dict $environment) | default (dict "cpu" "1" "memory" "2Gi") | toJson }}
{{- end }}
