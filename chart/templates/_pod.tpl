{{- /* What all Pods of this chart have in common: (dict "root" $ "priority" … "nodeSelector" … "tolerations" … "affinity" …). */ -}}
{{- define "proxyswapper.placement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priority }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* The program's container, without its arguments. */ -}}
{{- define "proxyswapper.program" -}}
image: {{ include "proxyswapper.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- end -}}

{{- /* Private certificate authorities: variable, mounts and volumes. The system's authorities remain trusted. */ -}}
{{- define "proxyswapper.authorities.env" -}}
{{- if .Values.caBundles }}
- name: SSL_CERT_DIR
  value: /etc/ssl/certs{{ range $index, $_ := .Values.caBundles }}:/etc/proxyswapper-authorities/{{ $index }}{{ end }}
{{- end }}
{{- end -}}

{{- define "proxyswapper.authorities.mounts" -}}
{{- range $index, $_ := .Values.caBundles }}
- name: authority-{{ $index }}
  mountPath: /etc/proxyswapper-authorities/{{ $index }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "proxyswapper.authorities.volumes" -}}
{{- range $index, $bundle := .Values.caBundles }}
- name: authority-{{ $index }}
  {{- if $bundle.configMap }}
  configMap:
    name: {{ $bundle.configMap }}
  {{- else }}
  secret:
    secretName: {{ $bundle.secret }}
  {{- end }}
    items: [{key: {{ $bundle.key | default "ca.crt" }}, path: ca.crt}]
{{- end }}
{{- end -}}
