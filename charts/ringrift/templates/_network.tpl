{{/* Parts of NetworkPolicies. */}}

{{- define "ringrift.stages" -}}
matchExpressions:
- {key: ringrift.ai/stage, operator: Exists}
{{- end }}

{{- define "ringrift.dns" -}}
# The cluster's DNS, also where it is cached on the node; OpenShift's listens on 5353.
- ports:
  - {protocol: UDP, port: 53}
  - {protocol: TCP, port: 53}
- to:
  - namespaceSelector:
      matchLabels: {kubernetes.io/metadata.name: openshift-dns}
  ports:
  - {protocol: UDP, port: 5353}
  - {protocol: TCP, port: 5353}
{{- end }}

{{- define "ringrift.everywhere" -}}
# Every address but those of the link, where nodes ask who they are, and the clouds' metadata services elsewhere.
- ipBlock:
    cidr: 0.0.0.0/0
    except: [169.254.0.0/16, 100.100.100.200/32, 168.63.129.16/32]
- ipBlock:
    cidr: "::/0"
    except: ["fe80::/10", "fd00:ec2::/32"]
{{- end }}
