{{- define "proxyswapper.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- /* The release's name, followed by the chart's name unless it is contained in it. Short enough for the suffixes of all objects. */ -}}
{{- define "proxyswapper.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "proxyswapper.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "proxyswapper.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Labels that select Pods of one component: (dict "root" $ "component" "webhook"). */ -}}
{{- define "proxyswapper.selector" -}}
app.kubernetes.io/name: {{ include "proxyswapper.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- /* Labels of an object: (dict "root" $ "component" "webhook"). */ -}}
{{- define "proxyswapper.labels" -}}
{{- $labels := include "proxyswapper.selector" . | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/version" (.root.Chart.AppVersion | toString) -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_")) -}}
{{- toYaml (merge $labels (.root.Values.commonLabels | default dict)) -}}
{{- end -}}

{{- /* Labels of a Pod. The webhook ignores all Pods of this chart: (dict "root" $ "component" "webhook" "labels" .Values.podLabels "identity" …). */ -}}
{{- define "proxyswapper.podLabels" -}}
{{- $labels := include "proxyswapper.labels" . | fromYaml -}}
{{- $_ := set $labels "proxyswapper.io/ignore" "true" -}}
{{- if ((.identity | default dict).azure | default dict).clientId -}}
{{- $_ := set $labels "azure.workload.identity/use" "true" -}}
{{- end -}}
{{- toYaml (merge $labels (.labels | default dict)) -}}
{{- end -}}

{{- define "proxyswapper.image" -}}
{{- include "proxyswapper.imageOf" (dict "root" . "image" .Values.image "tag" (.Values.image.tag | default .Chart.AppVersion)) -}}
{{- end -}}

{{- /* An image of the chart, from global.imageRegistry if that is set: (dict "root" $ "image" .Values.image "tag" …). */ -}}
{{- define "proxyswapper.imageOf" -}}
{{- $repository := .image.repository -}}
{{- with .root.Values.global.imageRegistry -}}
{{- $parts := splitList "/" $repository -}}
{{- $hasHost := and (gt (len $parts) 1) (or (contains "." (first $parts)) (contains ":" (first $parts)) (eq (first $parts) "localhost")) -}}
{{- $repository = printf "%s/%s" . (ternary (rest $parts | join "/") $repository $hasHost) -}}
{{- end -}}
{{- if .image.digest -}}
{{ $repository }}@{{ .image.digest }}
{{- else -}}
{{ $repository }}:{{ .tag }}
{{- end -}}
{{- end -}}

{{- define "proxyswapper.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "proxyswapper.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- /* The ServiceAccount annotations for a cloudIdentity. */ -}}
{{- define "proxyswapper.identityAnnotations" -}}
{{- with (.aws | default dict).roleArn }}
eks.amazonaws.com/role-arn: {{ . | quote }}
{{- end }}
{{- with (.google | default dict).serviceAccount }}
iam.gke.io/gcp-service-account: {{ . | quote }}
{{- end }}
{{- with (.azure | default dict).clientId }}
azure.workload.identity/client-id: {{ . | quote }}
{{- end }}
{{- with (.azure | default dict).tenantId }}
azure.workload.identity/tenant-id: {{ . | quote }}
{{- end }}
{{- end -}}

{{- /* "true" if the mirror or a cache, whose ServiceAccounts the chart creates in any case, has no identity of its own but cloudIdentity. */ -}}
{{- define "proxyswapper.identityIsInherited" -}}
{{- $inherited := and .Values.mirror.enabled (not .Values.mirror.cloudIdentity) -}}
{{- if and .Values.registryCache.enabled (not .Values.registryCache.cloudIdentity) -}}
{{- range .Values.registryCache.upstreams -}}
{{- if not .cloudIdentity -}}{{- $inherited = true -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if $inherited -}}true{{- end -}}
{{- end -}}

{{- define "proxyswapper.tlsSecretName" -}}
{{- .Values.certificates.existingSecret | default (printf "%s-tls" (include "proxyswapper.fullname" .)) -}}
{{- end -}}

{{- /* Where the serving certificate comes from: certManager, selfSigned or existing; none if an admission policy rewrites images. */ -}}
{{- define "proxyswapper.certificateMode" -}}
{{- $own := .Values.certificates -}}
{{- if include "proxyswapper.usesPolicy" . -}}
none
{{- else if ne $own.mode "auto" -}}
{{- $own.mode -}}
{{- else if $own.existingSecret -}}
existing
{{- else if and $own.certManager.enabled (.Capabilities.APIVersions.Has "cert-manager.io/v1") -}}
certManager
{{- else -}}
selfSigned
{{- end -}}
{{- end -}}
