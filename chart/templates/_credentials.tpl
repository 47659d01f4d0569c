{{- /* The credentials that the program uses for a registry, in words: (dict "root" $ "host" "registry.example.com"). */ -}}
{{- define "proxyswapper.credentialsOf" -}}
{{- $host := .host -}}
{{- $values := .root.Values -}}
{{- $auth := "" -}}
{{- range $values.config.registries -}}
{{- if eq .host $host }}{{ $auth = .auth | default "" }}{{ end -}}
{{- end -}}
{{- /* A ServiceAccount that the chart does not create has an identity that its values do not tell. */ -}}
{{- $identity := $values.cloudIdentity -}}
{{- $default := "of the Pod or node" -}}
{{- if not $values.serviceAccount.create -}}
{{- $identity = dict "aws" dict "google" dict "azure" dict -}}
{{- $default = printf "of the ServiceAccount %s or of the node" (include "proxyswapper.serviceAccountName" .root) -}}
{{- end -}}
{{- if eq $auth "ecr" -}}
{{ printf "the AWS identity %s" ($identity.aws.roleArn | default $default) }}
{{- else if eq $auth "google" -}}
{{ printf "the Google identity %s" ($identity.google.serviceAccount | default $default) }}
{{- else if eq $auth "azure" -}}
{{ printf "the Azure identity %s" ($identity.azure.clientId | default $default) }}
{{- else if eq $auth "basic" -}}
the user and password of its entry in config.registries
{{- else if eq $auth "anonymous" -}}
no credentials
{{- else if $values.dockerConfigSecret -}}
{{ printf "the Secret %s, else the identity of its cloud, else none" $values.dockerConfigSecret }}
{{- else -}}
the identity of its cloud, else none
{{- end -}}
{{- end -}}

{{- /* Which images are rewritten, and to what, for NOTES. */ -}}
{{- define "proxyswapper.fates" -}}
{{- $root := . -}}
{{- $config := include "proxyswapper.config" . | fromYaml -}}
{{- $rules := $config.rules | default (list) -}}
{{- if and (not $rules) $config.proxyUrl -}}
{{- $rules = list (dict "match" "docker.io") -}}
{{- end -}}
{{- $checked := include "proxyswapper.checkedPullSecrets" . | splitList " " -}}
{{- range $rules }}
{{- $target := .replace | default .target | default $config.proxyUrl }}
{{- $host := first (splitList "/" $target) }}
{{- $source := first (splitList "/" (.match | default "*")) }}
  {{ .match | default .matchRegex }} -> {{ $target }}{{ with .namespaces }} (in {{ join ", " . }}){{ end }}
    {{- if not (include "proxyswapper.populates" $root) }}
      not copied: config.populate.policy is none
    {{- else if and (hasKey . "populate") (not .populate) }}
      not copied: the target provides them itself
    {{- else }}
      read with {{ if $root.Values.pullSecrets.enabled }}the pull Secrets of the Pod or its ServiceAccount{{ with $root.Values.pullSecrets.namespaces }} (in {{ join ", " . }}){{ end }}, else {{ end }}{{ if contains "*" $source }}the login that config.registries{{ with $root.Values.dockerConfigSecret }} or the Secret {{ . }}{{ end }} has for each registry, else none{{ else }}{{ include "proxyswapper.credentialsOf" (dict "root" $root "host" $source) }}{{ end }}
      copied with {{ include "proxyswapper.credentialsOf" (dict "root" $root "host" $host) }}
    {{- end }}
      pulled by kubelet with {{ if .pullSecret }}the Secret {{ .pullSecret }} of the Pod's namespace, which you bring there{{ if has .pullSecret $checked }}; a warning in the log and an Event of the Pod say where it is missing{{ else }}; nobody checks that it exists, since the program may not read it{{ end }}{{ else }}the node's own access or the Pod's own Secrets{{ end }}
{{- end }}
{{- end -}}

{{- /* "true" if images of a rule are copied, for which Pods can wait. */ -}}
{{- define "proxyswapper.copiesForRules" -}}
{{- $config := include "proxyswapper.config" . | fromYaml -}}
{{- $copies := and (not $config.rules) $config.proxyUrl -}}
{{- range $config.rules -}}
  {{- if not (and (hasKey . "populate") (not .populate)) -}}{{- $copies = true -}}{{- end -}}
{{- end -}}
{{- if and $copies (include "proxyswapper.populates" .) -}}true{{- end -}}
{{- end -}}

{{- /* The image of the check in the notes: nginx if a rule matches it, else one of test.images, else a placeholder. */ -}}
{{- define "proxyswapper.example" -}}
{{- $config := include "proxyswapper.config" . | fromYaml -}}
{{- $takes := not $config.rules -}}
{{- range $config.rules -}}
  {{- if or (has (.match | default "") (list "**" "docker.io" "docker.io/**" "docker.io/library/**" "docker.io/library/*" "docker.io/library/nginx" "docker.io/nginx")) (and .matchRegex (regexMatch (printf "^(%s)$" .matchRegex) "docker.io/library/nginx:latest")) -}}
    {{- $takes = true -}}
  {{- end -}}
{{- end -}}
{{- if $takes -}}nginx{{- else -}}{{- first .Values.test.images | default "IMAGE" -}}{{- end -}}
{{- end -}}
