{{- /* The credentials that the program uses for a registry, in words: (dict "root" $ "host" "registry.example.com"). */ -}}
{{- define "proxyswapper.credentialsOf" -}}
{{- $host := .host -}}
{{- $values := .root.Values -}}
{{- $auth := "" -}}
{{- range $values.config.registries -}}
{{- if eq .host $host }}{{ $auth = .auth | default "" }}{{ end -}}
{{- end -}}
{{- /* A ServiceAccount that the chart does not create has an identity that its values do not contain. */ -}}
{{- $identity := $values.cloudIdentity | default dict -}}
{{- $default := "of the Pod or node" -}}
{{- if not $values.serviceAccount.create -}}
{{- $identity = dict -}}
{{- $default = printf "of the ServiceAccount %s or of the node" (include "proxyswapper.serviceAccountName" .root) -}}
{{- end -}}
{{- if eq $auth "ecr" -}}
{{ printf "the AWS identity %s" (($identity.aws | default dict).roleArn | default $default) }}
{{- else if eq $auth "google" -}}
{{ printf "the Google identity %s" (($identity.google | default dict).serviceAccount | default $default) }}
{{- else if eq $auth "azure" -}}
{{ printf "the Azure identity %s" (($identity.azure | default dict).clientId | default $default) }}
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

{{- /* The same for registries that values do not name. */ -}}
{{- define "proxyswapper.credentialsOfAny" -}}
the login that config.registries{{ with .Values.dockerConfigSecret }} or the Secret {{ . }}{{ end }} has for each registry, else the identity of its cloud, else none
{{- end -}}

{{- /* What is tried before these credentials to read an image. */ -}}
{{- define "proxyswapper.pullSecretsFirst" -}}
{{- if .Values.pullSecrets.enabled }}the pull Secrets of the Pod or its ServiceAccount{{ with .Values.pullSecrets.namespaces }} (in {{ join ", " . }}){{ end }}, else {{ end -}}
{{- end -}}

{{- /* Which images that no rule rewrites are copied to the name that they have, or pulled through a cache, for NOTES. */ -}}
{{- define "proxyswapper.proxyCacheFates" -}}
{{- $root := . -}}
{{- $variables := list -}}
{{- range .Values.env -}}{{- $variables = append $variables .name -}}{{- end -}}
{{- $entries := list -}}
{{- range .Values.config.registries -}}{{- if .auth -}}{{- $entries = append $entries .host -}}{{- end -}}{{- end -}}
{{- if include "proxyswapper.populates" . -}}
{{- range (.Values.config.populate | default dict).proxyCaches }}
  {{ .patternEcrProxyCache | default .regexURL }}
    {{- if .patternEcrProxyCache }}
      read with {{ include "proxyswapper.pullSecretsFirst" $root }}{{ include "proxyswapper.credentialsOfAny" $root }}
      copied to that name with {{ include "proxyswapper.credentialsOfAny" $root }}
    {{- else }}
      {{- $host := regexReplaceAll "^[a-z]+://([^/]*).*$" .replacementOCI "${1}" }}
      pulled through {{ $host }} with {{ if contains "$" $host }}{{ include "proxyswapper.credentialsOfAny" $root }}{{ else if and (has "hUSER" $variables) (not (has $host $entries)) }}the user and password of hUSER and hPW{{ else }}{{ if and $root.Values.envFrom (not (has $host $entries)) }}the user and password of hUSER and hPW if envFrom has them, else {{ end }}{{ include "proxyswapper.credentialsOf" (dict "root" $root "host" $host) }}{{ end }}
    {{- end }}
    {{- if include "proxyswapper.usesPolicy" $root }}
      only of Pods that the policy rewrites{{ if dig "populate" "backfill" false $root.Values.config }}, and of workloads{{ end }}
    {{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{- /* Which images are rewritten, and to what, for NOTES. */ -}}
{{- define "proxyswapper.imageOutcomes" -}}
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
      read with {{ include "proxyswapper.pullSecretsFirst" $root }}{{ if contains "*" $source }}{{ include "proxyswapper.credentialsOfAny" $root }}{{ else }}{{ include "proxyswapper.credentialsOf" (dict "root" $root "host" $source) }}{{ end }}
      copied with {{ include "proxyswapper.credentialsOf" (dict "root" $root "host" $host) }}
    {{- end }}
      pulled by kubelet with {{ if .pullSecret }}the Secret {{ .pullSecret }} of the Pod's namespace, which you bring there{{ if has .pullSecret $checked }}; a warning in the log and an Event of the Pod say where it is missing{{ else }}; nobody checks that it exists, since the program may not read it{{ end }}{{ else }}the node's own access or the Pod's own Secrets{{ end }}
{{- end }}
{{- end -}}

{{- /* What the mirror copies, at most ten lines of it, and with which credentials, for NOTES. */ -}}
{{- define "proxyswapper.mirror.imageOutcomes" -}}
{{- $own := .Values.mirror -}}
{{- $identity := $own.cloudIdentity | default .Values.cloudIdentity | default dict -}}
{{- $names := keys $own.images | sortAlpha -}}
{{- $shown := list -}}
{{- range $index, $name := $names -}}
{{- if lt $index 10 -}}{{- $shown = append $shown $name -}}{{- end -}}
{{- end -}}
{{- range $shown }}
  {{- $image := get $own.images . }}
  {{ $image.source }} -> {{ $image.destination }}
{{- end }}
{{- if gt (len $names) 10 }}
  and {{ sub (len $names) 10 }} more of mirror.images
{{- end }}
      copied with the login that {{ ternary "mirror.registries" "config.registries" (not (empty $own.registries)) }}{{ with .Values.dockerConfigSecret }} or the Secret {{ . }}{{ end }} has for each registry, else the identity {{ ($identity.aws | default dict).roleArn | default ($identity.google | default dict).serviceAccount | default ($identity.azure | default dict).clientId | default "of the Pod or node" }}, else none
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

{{- /* "true" if a pattern matches a namespace: (dict "patterns" (list "team-*") "namespace" "team-a"). */ -}}
{{- define "proxyswapper.matchesNamespace" -}}
{{- $namespace := .namespace -}}
{{- $matches := false -}}
{{- range .patterns -}}
{{- if regexMatch (printf "^%s$" (replace "*" ".*" .)) $namespace -}}{{- $matches = true -}}{{- end -}}
{{- end -}}
{{- if $matches -}}true{{- end -}}
{{- end -}}

{{- /*
The image of the check in the notes: nginx if a rule matches it in test.namespace, else one of test.images, else a placeholder; empty if no
rule applies there.
*/ -}}
{{- define "proxyswapper.example" -}}
{{- $config := include "proxyswapper.config" . | fromYaml -}}
{{- $namespace := .Values.test.namespace -}}
{{- $isIgnored := include "proxyswapper.matchesNamespace" (dict "patterns" $config.ignoreNamespaces "namespace" $namespace) -}}
{{- $applies := not $config.rules -}}
{{- $takes := $applies -}}
{{- range $config.rules -}}
  {{- $here := or (not .namespaces) (eq (include "proxyswapper.matchesNamespace" (dict "patterns" .namespaces "namespace" $namespace)) "true") -}}
  {{- $applies = or $applies $here -}}
  {{- if and $here (or (has (.match | default "") (list "**" "docker.io" "docker.io/**" "docker.io/library/**" "docker.io/library/*" "docker.io/library/nginx" "docker.io/nginx")) (and .matchRegex (regexMatch (printf "^(%s)$" .matchRegex) "docker.io/library/nginx:latest"))) -}}
    {{- $takes = true -}}
  {{- end -}}
{{- end -}}
{{- if and $applies (not $isIgnored) -}}
{{- if $takes -}}nginx{{- else -}}{{- first .Values.test.images | default "IMAGE" -}}{{- end -}}
{{- end -}}
{{- end -}}
