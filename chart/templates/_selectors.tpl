{{- /* The namespaces and Pods that are swapped, for both the webhook and the policy's binding. */ -}}
{{- define "proxyswapper.selectors" -}}
{{- $own := .Values.webhook -}}
{{- $never := uniq (concat (list "kube-system" .Release.Namespace) ($own.excludedNamespaces | default list)) -}}
{{- if $own.dangerouslyIncludeKubeSystem -}}
{{- $never = without $never "kube-system" -}}
{{- end -}}
{{- if and $own.dangerouslyIncludeReleaseNamespace (ne .Release.Namespace "kube-system") -}}
{{- $never = without $never .Release.Namespace -}}
{{- end -}}
{{- $ignored := dict "key" "proxyswapper.io/ignore" "operator" "NotIn" "values" (list "true") -}}
{{- $namespaces := list $ignored -}}
{{- if $never -}}
{{- $namespaces = prepend $namespaces (dict "key" "kubernetes.io/metadata.name" "operator" "NotIn" "values" $never) -}}
{{- end -}}
{{- if $own.namespaceOptIn -}}
{{- $namespaces = append $namespaces (dict "key" "proxyswapper.io/enabled" "operator" "In" "values" (list "true")) -}}
{{- end -}}
namespaceSelector:
  {{- with ($own.namespaceSelector | default dict).matchLabels }}
  matchLabels:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  matchExpressions:
    {{- toYaml (concat $namespaces (($own.namespaceSelector | default dict).matchExpressions | default list)) | nindent 4 }}
objectSelector:
  {{- with ($own.objectSelector | default dict).matchLabels }}
  matchLabels:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  matchExpressions:
    {{- toYaml (concat (list $ignored) (($own.objectSelector | default dict).matchExpressions | default list)) | nindent 4 }}
{{- end -}}
