{{- /* Conflicts between values, which a schema cannot detect. Each message says what to do. Those that need no cluster and concern a key of their own are also in ChartConflicts, for `proxyswapper validate`. */ -}}
{{- define "proxyswapper.checks" -}}
{{- $values := .Values -}}
{{- $rewrites := and $values.registryCache.enabled $values.registryCache.rewrite -}}
{{- if $values.webhook.enabled -}}
  {{- if and $values.proxyUrl $values.config.proxyUrl (ne $values.proxyUrl $values.config.proxyUrl) -}}
    {{- fail "proxyUrl and config.proxyUrl differ: set one of them" -}}
  {{- end -}}
  {{- $populate := $values.config.populate | default dict -}}
  {{- if not (or $values.proxyUrl $values.config.proxyUrl $values.config.rules $rewrites $populate.proxyCaches) -}}
    {{- fail "no image would be rewritten: set proxyUrl to the registry that replaces docker.io, or config.rules, or registryCache.rewrite; a populator alone needs config.populate.proxyCaches" -}}
  {{- end -}}
  {{- if eq ($populate.policy | default "") "immediate" -}}
    {{- $deadline := $populate.deadline | default "3s" -}}
    {{- if ge (include "proxyswapper.seconds" $deadline | int) (int $values.webhook.timeoutSeconds) -}}
      {{- fail (printf "config.populate.deadline %s must be less than webhook.timeoutSeconds, which is %d s: the API server would give up before the copy" $deadline (int $values.webhook.timeoutSeconds)) -}}
    {{- end -}}
  {{- end -}}
  {{- if and $values.management.token.secret (dig "management" "tokenFrom" false $values.config) -}}
    {{- fail "management.token.secret and config.management.tokenFrom both set the token: set one of them" -}}
  {{- end -}}
  {{- $own := dict "tlsCertPath" "certificates.existingSecret" "tlsKeyPath" "certificates.existingSecret" "certificates" "certificates.mode" "admissionPolicy" "webhook.mode policy, webhook.name and webhook.matchConditions" -}}
  {{- range $key, $instead := $own -}}
    {{- if get $values.config $key -}}
      {{- fail (printf "config.%s is set by the chart: use %s" $key $instead) -}}
    {{- end -}}
  {{- end -}}
  {{- if and (dig "populate" "pullSecrets" false $values.config) (not $values.pullSecrets.enabled) -}}
    {{- fail "config.populate.pullSecrets needs permission to read Secrets: set pullSecrets.enabled" -}}
  {{- end -}}
  {{- if and $values.pullSecrets.enabled (not (dig "populate" "pullSecrets" true $values.config)) -}}
    {{- fail "pullSecrets.enabled cannot be combined with config.populate.pullSecrets false: it would grant a permission that nothing uses" -}}
  {{- end -}}
  {{- if and $values.pullSecrets.enabled (not (include "proxyswapper.populates" .)) -}}
    {{- fail "pullSecrets.enabled requires the populator, but config.populate.policy is none" -}}
  {{- end -}}
  {{- if and (or $values.dryRun $values.config.dryRun) (eq $values.webhook.failurePolicy "Fail") -}}
    {{- fail "dryRun cannot be combined with webhook.failurePolicy Fail, which rejects Pods: set Ignore until dryRun is off" -}}
  {{- end -}}
  {{- if and $values.dryRun (hasKey $values.config "dryRun") (not $values.config.dryRun) -}}
    {{- fail "dryRun and config.dryRun differ: set one of them" -}}
  {{- end -}}
  {{- if and $values.webhook.namespaceOptIn (has "proxyswapper.io/enabled" (keys (($values.webhook.namespaceSelector | default dict).matchLabels | default dict))) -}}
    {{- fail "webhook.namespaceOptIn and webhook.namespaceSelector both select by proxyswapper.io/enabled: set one of them" -}}
  {{- end -}}
  {{- $excluded := $values.webhook.excludedNamespaces | default list -}}
  {{- if not $values.webhook.dangerouslyIncludeKubeSystem -}}
    {{- $excluded = append $excluded "kube-system" -}}
  {{- end -}}
  {{- if and $values.test.enabled $values.webhook.registered (has $values.test.namespace $excluded) -}}
    {{- fail (printf "test.namespace %s is excluded, so that helm test would fail: name a namespace whose Pods are swapped, or set test.enabled to false" $values.test.namespace) -}}
  {{- end -}}
  {{- if and $values.test.enabled $values.webhook.registered (eq $values.test.namespace .Release.Namespace) (not $values.webhook.dangerouslyIncludeReleaseNamespace) -}}
    {{- fail (printf "test.namespace %s is the release's own namespace, whose Pods are never swapped: install the release into a namespace of its own (--namespace proxyswapper --create-namespace), name another test.namespace, or set test.enabled to false" $values.test.namespace) -}}
  {{- end -}}
  {{- $mode := include "proxyswapper.certificateMode" . -}}
  {{- if and (eq $mode "existing") (not (and $values.certificates.existingSecret $values.certificates.caBundle)) -}}
    {{- fail "certificates.existingSecret and certificates.caBundle are required together: the certificate, and the authority by which the API server trusts it" -}}
  {{- end -}}
  {{- if include "proxyswapper.usesPolicy" . -}}
    {{- include "proxyswapper.policyChecks" . -}}
  {{- else if and (ne $mode "existing") $values.certificates.existingSecret -}}
    {{- fail (printf "certificates.existingSecret cannot be combined with certificates.mode %s: set mode to existing" $mode) -}}
  {{- end -}}
  {{- if and (eq $mode "selfSigned") $values.certificates.caBundle -}}
    {{- fail "certificates.caBundle cannot be combined with certificates.mode selfSigned: the program publishes its own authority" -}}
  {{- end -}}
  {{- if and (eq $mode "certManager") $values.certificates.caBundle (not $values.certificates.certManager.issuerRef) -}}
    {{- fail "certificates.caBundle cannot be combined with the authority that cert-manager makes for the release, which cert-manager publishes: remove it, or set certificates.certManager.issuerRef to the issuer of that authority" -}}
  {{- end -}}
  {{- if $values.certificates.certManager.issuerRef -}}
    {{- if $values.certificates.existingSecret -}}
      {{- fail "certificates.certManager.issuerRef cannot be combined with certificates.existingSecret: both provide the certificate" -}}
    {{- else if not $values.certificates.certManager.enabled -}}
      {{- fail "certificates.certManager.issuerRef cannot be combined with certificates.certManager.enabled false" -}}
    {{- else if eq $values.certificates.mode "selfSigned" -}}
      {{- fail "certificates.certManager.issuerRef cannot be combined with certificates.mode selfSigned: set mode to certManager" -}}
    {{- else if eq $mode "selfSigned" -}}
      {{- fail "certificates.certManager.issuerRef requires cert-manager, whose API cert-manager.io/v1 helm does not see: install it first, or set certificates.mode to certManager" -}}
    {{- end -}}
  {{- end -}}
  {{- if and (eq $values.certificates.mode "certManager") (not $values.certificates.certManager.enabled) -}}
    {{- fail "certificates.mode certManager cannot be combined with certificates.certManager.enabled false" -}}
  {{- end -}}
  {{- if and $values.webhook.matchConditions (not (include "proxyswapper.usesPolicy" .)) (not (semverCompare ">=1.28.0-0" .Capabilities.KubeVersion.Version)) -}}
    {{- fail (printf "webhook.matchConditions requires Kubernetes 1.28; this is %s, which would ignore them" .Capabilities.KubeVersion.Version) -}}
  {{- end -}}
  {{- $end := include "proxyswapper.endSeconds" . | int -}}
  {{- if and $values.terminationGracePeriodSeconds (le (int $values.terminationGracePeriodSeconds) $end) -}}
    {{- fail (printf "terminationGracePeriodSeconds must be more than config.drainDelay and config.shutdownGracePeriod together, which are %d s; use 0 to compute it" $end) -}}
  {{- end -}}
  {{- if eq (include "proxyswapper.port" .) (include "proxyswapper.managementPort" .) -}}
    {{- fail "config.port and config.managementPort must differ" -}}
  {{- end -}}
  {{- if $rewrites -}}
    {{- range $values.registryCache.upstreams -}}
      {{- if and (eq (include "proxyswapper.cache.match" .) "docker.io") (or $values.proxyUrl $values.config.proxyUrl) (not $values.config.rules) -}}
        {{- fail (printf "docker.io would be rewritten both to proxyUrl and to the cache %s: remove proxyUrl or the upstream, or use config.rules" .name) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if not (and $values.webhook.enabled $values.serviceAccount.create) -}}
  {{- $unused := dict "serviceAccount.annotations" $values.serviceAccount.annotations -}}
  {{- if not (include "proxyswapper.identityIsInherited" .) -}}
    {{- $identity := $values.cloudIdentity | default dict -}}
    {{- $_ := set $unused "cloudIdentity.aws.roleArn" ($identity.aws | default dict).roleArn -}}
    {{- $_ := set $unused "cloudIdentity.google.serviceAccount" ($identity.google | default dict).serviceAccount -}}
    {{- $_ := set $unused "cloudIdentity.azure.tenantId" ($identity.azure | default dict).tenantId -}}
    {{- /* With a ServiceAccount of the user's, it labels the webhook's Pods. */ -}}
    {{- if not $values.webhook.enabled -}}
      {{- $_ := set $unused "cloudIdentity.azure.clientId" ($identity.azure | default dict).clientId -}}
    {{- end -}}
  {{- end -}}
  {{- range $key, $value := $unused -}}
    {{- if and $value (not $values.webhook.enabled) -}}
      {{- fail (printf "%s cannot be combined with webhook.enabled false: nothing but the webhook would use it; remove it" $key) -}}
    {{- else if $value -}}
      {{- fail (printf "%s cannot be combined with serviceAccount.create false: it annotates the ServiceAccount that the chart creates; annotate yours" $key) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and $values.pullSecrets.namespaces (not $values.pullSecrets.enabled) -}}
  {{- fail "pullSecrets.namespaces requires pullSecrets.enabled" -}}
{{- end -}}
{{- if and (dig "populate" "backfill" false $values.config) (not (include "proxyswapper.reconciles" .)) -}}
  {{- fail "config.populate.backfill happens at each reconciliation: it requires a config.populate.policy other than none, and a config.populate.reconcileEvery other than 0" -}}
{{- end -}}
{{- if and $values.mirror.firstRun.enabled (not $values.mirror.enabled) -}}
  {{- fail "mirror.firstRun.enabled requires mirror.enabled" -}}
{{- end -}}
{{- if and $values.registryCache.rewrite (not $values.registryCache.enabled) -}}
  {{- fail "registryCache.rewrite requires registryCache.enabled" -}}
{{- end -}}
{{- if and $values.monitoring.serviceMonitor.enabled $values.monitoring.podMonitor.enabled -}}
  {{- fail "monitoring.serviceMonitor and monitoring.podMonitor would scrape the webhook twice: enable one of them; podMonitor covers the registry cache too" -}}
{{- end -}}
{{- if and (not $values.webhook.enabled) (or $values.dryRun $values.config.dryRun) -}}
  {{- fail "dryRun is about the webhook, and webhook.enabled is false" -}}
{{- end -}}
{{- if and $values.mirror.enabled (not $values.mirror.images) -}}
  {{- fail "mirror.enabled requires mirror.images: {NAME: {source: …, destination: …}}" -}}
{{- end -}}
{{- if and $values.mirror.timeZone (not (semverCompare ">=1.27.0-0" .Capabilities.KubeVersion.Version)) -}}
  {{- fail (printf "mirror.timeZone requires Kubernetes 1.27; this is %s" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if $values.registryCache.enabled -}}
  {{- include "proxyswapper.cache.checks" . -}}
{{- end -}}
{{- end -}}

{{- define "proxyswapper.policyChecks" -}}
{{- if not (or .Values.proxyUrl .Values.config.proxyUrl .Values.config.rules (and .Values.registryCache.enabled .Values.registryCache.rewrite)) -}}
  {{- fail "webhook.mode policy requires proxyUrl, config.rules or registryCache.rewrite: Pods whose images config.populate.proxyCaches alone concerns are found by the webhook" -}}
{{- end -}}
{{- if not (include "proxyswapper.policyVersion" .) -}}
  {{- fail (printf "webhook.mode policy requires MutatingAdmissionPolicy (Kubernetes 1.36); this is %s, which does not serve it" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if or .Values.dryRun .Values.config.dryRun -}}
  {{- fail "dryRun cannot be combined with webhook.mode policy, which rewrites in the API server: try webhook.mode webhook first, or proxyswapper report" -}}
{{- end -}}
{{- if or (ne .Values.webhook.failurePolicy "Ignore") (ne .Values.webhook.reinvocationPolicy "IfNeeded") -}}
  {{- fail "webhook.mode policy requires failurePolicy Ignore and reinvocationPolicy IfNeeded" -}}
{{- end -}}
{{- if eq (lower (.Values.config.swapPolicy | default "always")) "exists" -}}
  {{- fail "config.swapPolicy exists needs a registry, which webhook.mode policy cannot use" -}}
{{- end -}}
{{- if has (lower (dig "populate" "policy" "delayed" .Values.config)) (list "immediate" "gate") -}}
  {{- fail (printf "config.populate.policy %s requires the webhook and cannot be combined with webhook.mode policy: use delayed or none" .Values.config.populate.policy) -}}
{{- end -}}
{{- if dig "proxyHealth" "fallback" false .Values.config -}}
  {{- fail "config.proxyHealth.fallback needs a registry's health, which webhook.mode policy cannot use" -}}
{{- end -}}
{{- end -}}
