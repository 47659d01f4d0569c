{{- /* The program's configuration file: config, plus proxyUrl, dryRun, management.token, pullSecrets and the registry cache's rules if they are set. */ -}}
{{- define "proxyswapper.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if .Values.proxyUrl -}}
{{- $_ := set $config "proxyUrl" .Values.proxyUrl -}}
{{- end -}}
{{- if .Values.dryRun -}}
{{- $_ := set $config "dryRun" true -}}
{{- end -}}
{{- if .Values.management.token.secret -}}
{{- $_ := set $config "management" (dict "tokenFrom" (dict "env" "MANAGEMENT_TOKEN")) -}}
{{- end -}}
{{- if .Values.pullSecrets.enabled -}}
{{- $_ := set $config "populate" (merge (dict "pullSecrets" true) ($config.populate | default dict)) -}}
{{- end -}}
{{- if and .Values.registryCache.enabled .Values.registryCache.rewrite -}}
{{- $rules := $config.rules | default list -}}
{{- /* proxyUrl alone implies a rule for docker.io; with other rules it has to be explicit. */ -}}
{{- if and $config.proxyUrl (not $rules) -}}
{{- $rules = list (dict "match" "docker.io") -}}
{{- end -}}
{{- range .Values.registryCache.upstreams -}}
{{- $rules = append $rules (dict "match" (include "proxyswapper.cache.match" .) "target" (printf "localhost:%d" (int .port)) "populate" false) -}}
{{- end -}}
{{- $_ := set $config "rules" $rules -}}
{{- end -}}
{{- if eq (include "proxyswapper.certificateMode" .) "selfSigned" -}}
{{- $name := include "proxyswapper.fullname" . -}}
{{- $names := list (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.cluster.local" $name .Release.Namespace) (printf "%s.%s" $name .Release.Namespace) -}}
{{- $_ := set $config "certificates" (dict "secret" (include "proxyswapper.tlsSecretName" .) "dnsNames" $names "webhook" .Values.webhook.name) -}}
{{- end -}}
{{- if include "proxyswapper.usesPolicy" . -}}
{{- $_ := set $config "admissionPolicy" (dict "name" .Values.webhook.name "matchConditions" (.Values.webhook.matchConditions | default list)) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* Settings that the program reads only at startup, so Pods are replaced when they change. */ -}}
{{- define "proxyswapper.startupSettings" -}}
{{- $config := include "proxyswapper.config" . | fromYaml -}}
{{- $registries := list -}}
{{- range $config.registries -}}
{{- $registries = append $registries (omit . "createRepositories") -}}
{{- end -}}
{{- $settings := pick $config "port" "managementPort" "drainDelay" "shutdownGracePeriod" "logLevel" "logFormat" "management" "certificates" -}}
{{- $_ := set $settings "registries" $registries -}}
{{- $_ := set $settings "policy" (dig "admissionPolicy" "name" "" $config) -}}
{{- toJson $settings -}}
{{- end -}}

{{- /* "true" if an admission policy rewrites images instead of the webhook. */ -}}
{{- define "proxyswapper.usesPolicy" -}}
{{- if eq .Values.webhook.mode "policy" -}}true{{- end -}}
{{- end -}}

{{- /* The newest API version of mutating admission policies that the API server has. */ -}}
{{- define "proxyswapper.policyVersion" -}}
{{- $group := "admissionregistration.k8s.io" -}}
{{- if or (.Capabilities.APIVersions.Has (printf "%s/v1/MutatingAdmissionPolicy" $group)) (semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version) -}}v1
{{- else if .Capabilities.APIVersions.Has (printf "%s/v1beta1/MutatingAdmissionPolicy" $group) -}}v1beta1
{{- else if and (.Capabilities.APIVersions.Has (printf "%s/v1alpha1/MutatingAdmissionPolicy" $group)) (semverCompare ">=1.33.0-0" .Capabilities.KubeVersion.Version) -}}v1alpha1
{{- end -}}
{{- end -}}

{{- define "proxyswapper.port" -}}
{{- .Values.config.port | default 8443 | int -}}
{{- end -}}

{{- define "proxyswapper.managementPort" -}}
{{- .Values.config.managementPort | default 9090 | int -}}
{{- end -}}

{{- /* "true" if images of Pods are copied. */ -}}
{{- define "proxyswapper.populates" -}}
{{- if ne (lower ((.Values.config.populate | default dict).policy | default "gate")) "none" -}}true{{- end -}}
{{- end -}}

{{- /* "true" if Pods may wait behind a scheduling gate. */ -}}
{{- define "proxyswapper.gates" -}}
{{- if and (eq (lower (dig "populate" "policy" "gate" .Values.config)) "gate") (semverCompare ">=1.27.0-0" .Capabilities.KubeVersion.Version) (not (include "proxyswapper.usesPolicy" .)) -}}true{{- end -}}
{{- end -}}

{{- /* "true" if waiting Pods are released. Independent of populate.policy, since the previous one may have gated Pods. */ -}}
{{- define "proxyswapper.releases" -}}
{{- if and .Values.rbac.create .Values.rbac.gates (semverCompare ">=1.27.0-0" .Capabilities.KubeVersion.Version) -}}true{{- end -}}
{{- end -}}

{{- /* The Secrets of rules[].pullSecret that the program may read, to name missing ones, with spaces between; empty without permission. */ -}}
{{- define "proxyswapper.checkedPullSecrets" -}}
{{- $names := list -}}
{{- if and .Values.rbac.create (or (include "proxyswapper.populates" .) (include "proxyswapper.releases" .)) -}}
  {{- range .Values.config.rules -}}
    {{- with .pullSecret -}}{{- $names = append $names . -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- $names | uniq | join " " -}}
{{- end -}}

{{- /* "true" if an admission policy can restrict our ServiceAccount to what gates need. */ -}}
{{- define "proxyswapper.fences" -}}
{{- if and .Values.rbac.create .Values.rbac.fence (include "proxyswapper.releases" .) (semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version) -}}true{{- end -}}
{{- end -}}

{{- /* "true" if an admission policy restricts the test's account to dry runs. */ -}}
{{- define "proxyswapper.testIsFenced" -}}
{{- if and .Values.rbac.fence (semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version) -}}true{{- end -}}
{{- end -}}

{{- /* "true" if running Pods are listed periodically. */ -}}
{{- define "proxyswapper.reconciles" -}}
{{- $every := dig "populate" "reconcileEvery" "10m" .Values.config | toString -}}
{{- if and (include "proxyswapper.populates" .) (not (regexMatch "^0+(\\.0+)?(ms|s|m|h)?$" $every)) -}}true{{- end -}}
{{- end -}}

{{- /* "true" if Pod templates are listed periodically. */ -}}
{{- define "proxyswapper.backfills" -}}
{{- if and (include "proxyswapper.reconciles" .) (dig "populate" "backfill" false .Values.config) -}}true{{- end -}}
{{- end -}}

{{- /* "true" if the webhook leaves images unchanged while their registry is failing, which it reports in an Event. */ -}}
{{- define "proxyswapper.fallsBack" -}}
{{- $fallback := dig "proxyHealth" "fallback" (eq (lower (.Values.config.swapPolicy | default "always")) "exists") .Values.config -}}
{{- if $fallback -}}true{{- end -}}
{{- end -}}

{{- /* "true" if the webhook's Pods call the API server. */ -}}
{{- define "proxyswapper.usesKubernetes" -}}
{{- if or (eq (include "proxyswapper.certificateMode" .) "selfSigned") (include "proxyswapper.populates" .) (include "proxyswapper.releases" .) (include "proxyswapper.fallsBack" .) (include "proxyswapper.usesPolicy" .) -}}true{{- end -}}
{{- end -}}

{{- /* A duration from the program's configuration, in whole seconds. */ -}}
{{- define "proxyswapper.seconds" -}}
{{- $total := 0 -}}
{{- range regexFindAll "[0-9.]+(ms|s|m|h)" (toString .) -1 -}}
  {{- $number := regexFind "^[0-9.]+" . | float64 -}}
  {{- $unit := regexFind "[a-z]+$" . -}}
  {{- $total = addf $total (mulf $number (get (dict "ms" 0.001 "s" 1 "m" 60 "h" 3600) $unit)) -}}
{{- end -}}
{{- ceil $total | int -}}
{{- end -}}

{{- /* The longest time, in seconds, that the program takes to shut down. */ -}}
{{- define "proxyswapper.endSeconds" -}}
{{- $drain := include "proxyswapper.seconds" (.Values.config.drainDelay | default "5s") | int -}}
{{- $grace := include "proxyswapper.seconds" (.Values.config.shutdownGracePeriod | default "25s") | int -}}
{{- add $drain $grace -}}
{{- end -}}
