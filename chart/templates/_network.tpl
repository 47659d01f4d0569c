{{- /* "true" if a Pod with these settings may need its cloud's metadata server for its identity: (dict "root" $ "settings" (list …)). */ -}}
{{- define "proxyswapper.usesCloudMetadata" -}}
{{- $mode := .root.Values.networkPolicy.cloudMetadata -}}
{{- $cloud := `"auth":"?(ecr|azure|google)|[.]dkr[.]ecr|[.]azurecr[.]|pkg[.]dev|"roleArn":"[^"]|"clientId":"[^"]|"serviceAccount":"[^"]` -}}
{{- if or (eq $mode "allow") (and (eq $mode "auto") (regexMatch $cloud (toJson .settings))) -}}
true
{{- end -}}
{{- end -}}

{{- /* Where a Pod with these settings may connect to: (dict "root" $ "settings" (list …)); without settings, not to metadata servers. */ -}}
{{- define "proxyswapper.egress" -}}
{{- $own := .root.Values.networkPolicy -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- ports:
    {{- range $own.egressPorts }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- if not (and .settings (include "proxyswapper.usesCloudMetadata" .)) }}
  # Everywhere except the clouds' metadata servers, which hand out the node's identity.
  to:
    - ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16, 100.100.100.200/32, 168.63.129.16/32, 192.0.0.192/32]}
    - ipBlock: {cidr: "::/0", except: ["fe80::/10", "fd00:ec2::/32", "fd20:ce::254/128", "fd00:c1::a9fe:a9fe/128", "fd00:100::100:200/128", "fd00:42::42/128", "fd00:a9fe:a9fe::1/128"]}
  {{- end }}
{{- with $own.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* The NetworkPolicy of Pods without incoming connections: (dict "root" $ "name" … "component" … "settings" (list …) "egress" (list …)). */ -}}
{{- define "proxyswapper.jobPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "proxyswapper.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "proxyswapper.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "proxyswapper.egress" . | nindent 4 }}
    {{- with .egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
