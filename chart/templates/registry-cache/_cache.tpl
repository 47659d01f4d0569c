{{- /* The registry of an upstream, as written in image names. */ -}}
{{- define "proxyswapper.cache.match" -}}
{{- $host := (urlParse .remoteUrl).host -}}
{{- .match | default (ternary "docker.io" $host (eq $host "registry-1.docker.io")) -}}
{{- end -}}

{{- /* The name of an upstream's objects: (dict "root" $ "upstream" …). */ -}}
{{- define "proxyswapper.cache.name" -}}
{{ include "proxyswapper.fullname" .root }}-cache-{{ .upstream.name }}
{{- end -}}

{{- define "proxyswapper.cache.component" -}}
registry-cache-{{ .upstream.name }}
{{- end -}}

{{- define "proxyswapper.cache.serviceAccount" -}}
{{- if .upstream.cloudIdentity -}}
{{ include "proxyswapper.cache.name" . }}
{{- else -}}
{{ include "proxyswapper.fullname" .root }}-cache
{{- end -}}
{{- end -}}

{{- define "proxyswapper.cache.identity" -}}
{{- .upstream.cloudIdentity | default .root.Values.registryCache.cloudIdentity | default .root.Values.cloudIdentity | toYaml -}}
{{- end -}}

{{- define "proxyswapper.cache.storage" -}}
{{- $storage := mergeOverwrite (deepCopy .root.Values.registryCache.storage) (.upstream.storage | default dict) -}}
{{- range list "emptyDir" "persistentVolumeClaim" -}}
{{- if not (get $storage .) -}}{{- $_ := set $storage . dict -}}{{- end -}}
{{- end -}}
{{- toYaml $storage -}}
{{- end -}}

{{- /* "true" if the sidecar fetches the upstream's credentials from a cloud. */ -}}
{{- define "proxyswapper.cache.hasSidecar" -}}
{{- if has (.upstream.auth | default "none") (list "google" "ecr" "azure") -}}true{{- end -}}
{{- end -}}

{{- define "proxyswapper.cache.htpasswdSecret" -}}
{{- .Values.registryCache.auth.existingSecret | default (printf "%s-cache-htpasswd" (include "proxyswapper.fullname" .)) -}}
{{- end -}}

{{- define "proxyswapper.cache.checks" -}}
{{- $own := .Values.registryCache -}}
{{- $daemon := eq $own.exposure "HostPort" -}}
{{- if not $own.upstreams -}}
  {{- fail "registryCache.enabled requires registryCache.upstreams: [{name: …, remoteUrl: …, port: …}]" -}}
{{- end -}}
{{- if and $own.rewrite (not .Values.webhook.enabled) -}}
  {{- fail "registryCache.rewrite requires webhook.enabled" -}}
{{- end -}}
{{- if and $own.rewrite (eq $own.exposure "ClusterIP") -}}
  {{- fail "registryCache.rewrite requires registryCache.exposure NodePort or HostPort: containerd cannot resolve a ClusterIP by name" -}}
{{- end -}}
{{- $names := list -}}
{{- $ports := list -}}
{{- $inherits := false -}}
{{- range $own.upstreams -}}
  {{- $inherits = or $inherits (not .cloudIdentity) -}}
  {{- if has .name $names -}}{{- fail (printf "registryCache.upstreams: duplicate name %s" .name) -}}{{- end -}}
  {{- if has (int .port) $ports -}}{{- fail (printf "registryCache.upstreams: duplicate port %d" (int .port)) -}}{{- end -}}
  {{- $names = append $names .name -}}
  {{- $ports = append $ports (int .port) -}}
  {{- if not (or (has (urlParse .remoteUrl).path (list "" "/")) (not .remoteUrl)) -}}
    {{- fail (printf "registryCache.upstreams %s: remoteUrl must be the root of a registry, without a path" .name) -}}
  {{- end -}}
  {{- if and (eq $own.exposure "NodePort") (or (lt (int .port) 30000) (gt (int .port) 32767)) -}}
    {{- fail (printf "registryCache.upstreams %s: with exposure NodePort the port must be from 30000 to 32767" .name) -}}
  {{- end -}}
  {{- if and (eq (.auth | default "none") "basic") (not .secret) -}}
    {{- fail (printf "registryCache.upstreams %s: auth basic requires secret, the name of a Secret with username and password" .name) -}}
  {{- end -}}
  {{- if and (eq (.auth | default "none") "ecr") (not .region) (not (regexMatch "^https://([0-9]{12}\\.dkr[.-]ecr|(public\\.ecr\\.aws|ecr-public\\.aws\\.com)/?$)" .remoteUrl)) -}}
    {{- fail (printf "registryCache.upstreams %s: auth ecr requires region, since the host name %s does not contain it" .name .remoteUrl) -}}
  {{- end -}}
  {{- $storage := include "proxyswapper.cache.storage" (dict "root" $ "upstream" .) | fromYaml -}}
  {{- $claim := $storage.persistentVolumeClaim -}}
  {{- if and $claim.enabled $storage.s3 -}}
    {{- fail (printf "registryCache.upstreams %s: storage must be either persistentVolumeClaim or s3" .name) -}}
  {{- end -}}
  {{- if and $claim.enabled $daemon -}}
    {{- fail (printf "registryCache.upstreams %s: a DaemonSet's Pods cannot share a claim; use emptyDir or s3 with exposure HostPort" .name) -}}
  {{- end -}}
  {{- if and $claim.enabled (not $claim.existingClaim) (gt (int (.replicas | default $own.replicas)) 1) (not (has "ReadWriteMany" $claim.accessModes)) -}}
    {{- fail (printf "registryCache.upstreams %s: several replicas on one claim require accessModes [ReadWriteMany]; set that, or replicas: 1" .name) -}}
  {{- end -}}
{{- end -}}
{{- if and $own.cloudIdentity (not $inherits) -}}
  {{- fail "registryCache.cloudIdentity cannot be combined with upstreams that all have a cloudIdentity of their own: none would use it; remove it" -}}
{{- end -}}
{{- $auth := $own.auth -}}
{{- if $auth.enabled -}}
  {{- if not (or $auth.existingSecret $auth.htpasswd) -}}
    {{- fail "registryCache.auth.enabled requires auth.htpasswd, the line that `htpasswd -nbB USER PASSWORD` prints, or auth.existingSecret: a hash made here would differ with each render" -}}
  {{- end -}}
{{- end -}}
{{- if $auth.pullSecretNamespaces -}}
  {{- if not (and $auth.enabled $auth.username $auth.password) -}}
    {{- fail "registryCache.auth.pullSecretNamespaces requires auth.enabled, auth.username and auth.password" -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Distribution's configuration for one upstream. */ -}}
{{- define "proxyswapper.cache.distribution" -}}
{{- $own := .root.Values.registryCache -}}
{{- $storage := include "proxyswapper.cache.storage" . | fromYaml -}}
version: 0.1
log:
  level: {{ $own.logLevel }}
  formatter: json
  accesslog:
    disabled: true
storage:
  {{- if $storage.s3 }}
  s3:
    {{- toYaml (merge (dict "rootdirectory" (printf "%s/%s" ($storage.s3.rootdirectory | default "" | trimSuffix "/") .upstream.name)) $storage.s3) | nindent 4 }}
  {{- else }}
  filesystem:
    rootdirectory: /var/lib/registry
  {{- end }}
  cache:
    blobdescriptor: inmemory
  # Deletes expired content.
  delete:
    enabled: true
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
  draintimeout: 20s
  debug:
    addr: :5001
    prometheus:
      enabled: true
      path: /metrics
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
{{- if $own.auth.enabled }}
auth:
  htpasswd:
    realm: registry cache
    path: /auth/htpasswd
{{- end }}
proxy:
  remoteurl: {{ .upstream.remoteUrl | trimSuffix "/" }}
  ttl: {{ ternary "0s" (toString (.upstream.ttl | default $own.ttl)) (eq (toString (.upstream.ttl | default $own.ttl)) "0") }}
  {{- if include "proxyswapper.cache.hasSidecar" . }}
  exec:
    command: /credential/helper
    lifetime: {{ $own.credential.lifetime }}
  {{- end }}
{{- end -}}

{{- /* The sidecar's configuration: the only registry for which it provides credentials. */ -}}
{{- define "proxyswapper.cache.credentials" -}}
# Keeps serving while the cache drains.
drainDelay: 25s
registries:
  - host: {{ (urlParse .upstream.remoteUrl).host }}
    auth: {{ .upstream.auth }}
    {{- with .upstream.region }}
    region: {{ . }}
    {{- end }}
{{- end -}}

{{- /* The Pod template. */ -}}
{{- define "proxyswapper.cache.pod" -}}
{{- $root := .root -}}
{{- $own := $root.Values.registryCache -}}
{{- $name := include "proxyswapper.cache.name" . -}}
{{- $component := include "proxyswapper.cache.component" . -}}
{{- $storage := include "proxyswapper.cache.storage" . | fromYaml -}}
{{- $identity := include "proxyswapper.cache.identity" . | fromYaml -}}
metadata:
  labels:
    {{- include "proxyswapper.podLabels" (dict "root" $root "component" $component "labels" $own.podLabels "identity" $identity) | nindent 4 }}
  annotations:
    kubectl.kubernetes.io/default-container: registry
    # Distribution and the sidecar read their configuration only at startup.
    checksum/config: {{ print (include "proxyswapper.cache.distribution" .) (ternary (include "proxyswapper.cache.credentials" .) "" (eq (include "proxyswapper.cache.hasSidecar" .) "true")) | sha256sum | trunc 16 }}
    {{- if $root.Values.monitoring.scrapeAnnotations }}
    prometheus.io/scrape: "true"
    prometheus.io/port: "5001"
    prometheus.io/path: /metrics
    {{- end }}
    {{- with $own.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "proxyswapper.cache.serviceAccount" . }}
  automountServiceAccountToken: false
  # Distribution treats variables named REGISTRY_… as configuration, and a Service named registry would create some.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ $own.terminationGracePeriodSeconds }}
  securityContext:
    {{- toYaml $own.podSecurityContext | nindent 4 }}
  {{- if ne $own.exposure "HostPort" }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "proxyswapper.selector" (dict "root" $root "component" $component) | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- include "proxyswapper.placement" (dict "root" $root "priority" $own.priorityClassName "nodeSelector" $own.nodeSelector "tolerations" $own.tolerations "affinity" $own.affinity) | trim | nindent 2 }}
  containers:
    - name: registry
      image: {{ include "proxyswapper.imageOf" (dict "root" $root "image" $own.image "tag" $own.image.tag) }}
      imagePullPolicy: {{ $own.image.pullPolicy }}
      securityContext:
        {{- toYaml $root.Values.securityContext | nindent 8 }}
      command: [registry, serve, /etc/distribution/config.yml]
      env:
        # Distribution would send traces to localhost by default.
        - name: OTEL_TRACES_EXPORTER
          value: none
        {{- include "proxyswapper.authorities.env" $root | trim | nindent 8 }}
        {{- if eq (.upstream.auth | default "none") "basic" }}
        - name: REGISTRY_PROXY_USERNAME
          valueFrom: {secretKeyRef: {name: {{ .upstream.secret }}, key: username}}
        - name: REGISTRY_PROXY_PASSWORD
          valueFrom: {secretKeyRef: {name: {{ .upstream.secret }}, key: password}}
        {{- end }}
        {{- if and $storage.s3 $storage.s3Secret }}
        - name: REGISTRY_STORAGE_S3_ACCESSKEY
          valueFrom: {secretKeyRef: {name: {{ $storage.s3Secret }}, key: accesskey}}
        - name: REGISTRY_STORAGE_S3_SECRETKEY
          valueFrom: {secretKeyRef: {name: {{ $storage.s3Secret }}, key: secretkey}}
        {{- end }}
        {{- with $own.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: registry
          containerPort: 5000
          {{- if eq $own.exposure "HostPort" }}
          hostPort: {{ int .upstream.port }}
          {{- with $own.hostIP }}
          hostIP: {{ . }}
          {{- end }}
          {{- end }}
        - name: metrics
          containerPort: 5001
      livenessProbe:
        httpGet: {path: /, port: registry}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /debug/health, port: metrics}
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      resources:
        {{- toYaml (.upstream.resources | default $own.resources) | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/distribution
          readOnly: true
        {{- if not $storage.s3 }}
        - name: storage
          mountPath: /var/lib/registry
          {{- if and $storage.persistentVolumeClaim.enabled $storage.persistentVolumeClaim.existingClaim }}
          subPath: {{ .upstream.name }}
          {{- end }}
        {{- end }}
        - name: tmp
          mountPath: /tmp
        {{- if $own.auth.enabled }}
        - name: auth
          mountPath: /auth
          readOnly: true
        {{- end }}
        {{- if include "proxyswapper.cache.hasSidecar" . }}
        - name: credential
          mountPath: /credential
          readOnly: true
        {{- end }}
        {{- include "proxyswapper.authorities.mounts" $root | trim | nindent 8 }}
        {{- with $own.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- if include "proxyswapper.cache.hasSidecar" . }}
    # Serves /credential/helper on the Pod's loopback address only.
    - name: credential
      {{- include "proxyswapper.program" $root | nindent 6 }}
      args: [credential, serve, --config, /etc/proxyswapper/credentials.yaml, --port, "5002"]
      {{- with include "proxyswapper.authorities.env" $root | trim }}
      env:
        {{- . | nindent 8 }}
      {{- end }}
      ports:
        - name: management
          containerPort: 9090
      livenessProbe:
        httpGet: {path: /healthz, port: management}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: management}
        periodSeconds: 5
        timeoutSeconds: 3
      resources:
        {{- toYaml $own.credential.resources | nindent 8 }}
      volumeMounts:
        - name: credentials
          mountPath: /etc/proxyswapper
          readOnly: true
        - name: tmp
          mountPath: /tmp
        {{- include "proxyswapper.authorities.mounts" $root | trim | nindent 8 }}
    {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ $name }}
        items: [{key: config.yml, path: config.yml}]
    {{- if $storage.s3 }}
    {{- else if $storage.persistentVolumeClaim.enabled }}
    - name: storage
      persistentVolumeClaim:
        claimName: {{ $storage.persistentVolumeClaim.existingClaim | default $name }}
    {{- else }}
    - name: storage
      emptyDir:
        sizeLimit: {{ $storage.emptyDir.sizeLimit }}
        {{- with $storage.emptyDir.medium }}
        medium: {{ . }}
        {{- end }}
    {{- end }}
    - name: tmp
      emptyDir:
        sizeLimit: {{ $root.Values.tmpSizeLimit }}
    {{- if $own.auth.enabled }}
    - name: auth
      secret:
        secretName: {{ include "proxyswapper.cache.htpasswdSecret" $root }}
        items: [{key: htpasswd, path: htpasswd}]
    {{- end }}
    {{- if include "proxyswapper.cache.hasSidecar" . }}
    - name: credential
      configMap:
        name: {{ $name }}
        items: [{key: credential-helper, path: helper}]
        # 0555 in decimal, since YAML parsers differ on octal numbers; Distribution executes it.
        defaultMode: 365
    - name: credentials
      configMap:
        name: {{ $name }}
        items: [{key: credentials.yaml, path: credentials.yaml}]
    {{- end }}
    {{- include "proxyswapper.authorities.volumes" $root | trim | nindent 4 }}
    {{- with $own.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
