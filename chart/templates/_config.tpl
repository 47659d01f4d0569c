{{- /* The program's file: config as it is; proxyUrl, dryRun, pullSecrets and the rules of the registry cache are added where they are set. */ -}}
{{- define "proxyswapper.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if .Values.proxyUrl -}}
{{- $_ := set $config "proxyUrl" .Values.proxyUrl -}}
{{- end -}}
{{- if .Values.dryRun -}}
{{- $_ := set $config "dryRun" true -}}
{{- end -}}
{{- if .Values.pullSecrets.enabled -}}
{{- $_ := set $config "populate" (merge (dict "pullSecrets" true) ($config.populate | default dict)) -}}
{{- end -}}
{{- if and .Values.registryCache.enabled .Values.registryCache.rewrite -}}
{{- $rules := $config.rules | default list -}}
{{- /* proxyUrl alone means docker.io; beside rules this must be said. */ -}}
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
{{- $_ := set $config "admissionPolicy" (dict "name" .Values.webhook.name "matchConditions" .Values.webhook.matchConditions) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* The settings that the program reads only at startup: the Pods are replaced when they change. */ -}}
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

{{- /* "true" when an admission policy does the swap. */ -}}
{{- define "proxyswapper.usesPolicy" -}}
{{- if eq .Values.webhook.mode "policy" -}}true{{- end -}}
{{- end -}}

{{- /* The version in which the API server has admission policies. */ -}}
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

{{- /* "true" when Pods' images are copied. */ -}}
{{- define "proxyswapper.populates" -}}
{{- if ne (lower ((.Values.config.populate | default dict).policy | default "gate")) "none" -}}true{{- end -}}
{{- end -}}

{{- /* "true" when Pods may wait behind a scheduling gate. */ -}}
{{- define "proxyswapper.gates" -}}
{{- if and (eq (lower (dig "populate" "policy" "gate" .Values.config)) "gate") (semverCompare ">=1.27.0-0" .Capabilities.KubeVersion.Version) (not (include "proxyswapper.usesPolicy" .)) -}}true{{- end -}}
{{- end -}}

{{- /* "true" when waiting Pods are released, whatever populate.policy is: another one may have gated Pods until this upgrade. */ -}}
{{- define "proxyswapper.releases" -}}
{{- if and .Values.rbac.create .Values.rbac.gates (semverCompare ">=1.27.0-0" .Capabilities.KubeVersion.Version) -}}true{{- end -}}
{{- end -}}

{{- /* "true" when the API server can hold our ServiceAccount to what a gate needs. */ -}}
{{- define "proxyswapper.fences" -}}
{{- if and .Values.rbac.create .Values.rbac.fence (include "proxyswapper.releases" .) (semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version) -}}true{{- end -}}
{{- end -}}

{{- /* "true" when an admission policy holds the test's account to dry runs. */ -}}
{{- define "proxyswapper.testIsFenced" -}}
{{- if and .Values.rbac.fence (semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version) -}}true{{- end -}}
{{- end -}}

{{- /* "true" when running Pods are listed from time to time. */ -}}
{{- define "proxyswapper.reconciles" -}}
{{- $every := dig "populate" "reconcileEvery" "10m" .Values.config | toString -}}
{{- if and (include "proxyswapper.populates" .) (not (regexMatch "^0+(\\.0+)?(ms|s|m|h)?$" $every)) -}}true{{- end -}}
{{- end -}}

{{- /* "true" when Pod templates are looked at from time to time. */ -}}
{{- define "proxyswapper.backfills" -}}
{{- if and (include "proxyswapper.reconciles" .) (dig "populate" "backfill" false .Values.config) -}}true{{- end -}}
{{- end -}}

{{- /* "true" when the webhook lets images through while their registry fails, which it tells in an Event. */ -}}
{{- define "proxyswapper.fallsBack" -}}
{{- $fallback := dig "proxyHealth" "fallback" (eq (lower (.Values.config.swapPolicy | default "always")) "exists") .Values.config -}}
{{- if $fallback -}}true{{- end -}}
{{- end -}}

{{- /* "true" when the webhook's Pods talk to the API server. */ -}}
{{- define "proxyswapper.usesKubernetes" -}}
{{- if or (eq (include "proxyswapper.certificateMode" .) "selfSigned") (include "proxyswapper.populates" .) (include "proxyswapper.releases" .) (include "proxyswapper.fallsBack" .) (include "proxyswapper.usesPolicy" .) -}}true{{- end -}}
{{- end -}}

{{- /* A duration as the program's file has it, in whole seconds. */ -}}
{{- define "proxyswapper.seconds" -}}
{{- $total := 0 -}}
{{- range regexFindAll "[0-9.]+(ms|s|m|h)" (toString .) -1 -}}
  {{- $number := regexFind "^[0-9.]+" . | float64 -}}
  {{- $unit := regexFind "[a-z]+$" . -}}
  {{- $total = addf $total (mulf $number (get (dict "ms" 0.001 "s" 1 "m" 60 "h" 3600) $unit)) -}}
{{- end -}}
{{- ceil $total | int -}}
{{- end -}}

{{- /* What the program takes to end at the longest. */ -}}
{{- define "proxyswapper.endSeconds" -}}
{{- $drain := include "proxyswapper.seconds" (.Values.config.drainDelay | default "5s") | int -}}
{{- $grace := include "proxyswapper.seconds" (.Values.config.shutdownGracePeriod | default "25s") | int -}}
{{- add $drain $grace -}}
{{- end -}}
