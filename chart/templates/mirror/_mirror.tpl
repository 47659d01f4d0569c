{{- /* The configuration file of `mirror`. */ -}}
{{- define "proxyswapper.mirror.file" -}}
{{- $own := .Values.mirror -}}
{{- $file := dict "images" $own.images -}}
{{- with $own.mode }}{{- $_ := set $file "mode" . }}{{- end -}}
{{- with $own.platforms }}{{- $_ := set $file "platforms" . }}{{- end -}}
{{- with $own.registries | default .Values.config.registries }}{{- $_ := set $file "registries" . }}{{- end -}}
{{- toYaml $file -}}
{{- end -}}

{{- define "proxyswapper.mirror.name" -}}
{{ include "proxyswapper.fullname" . }}-mirror
{{- end -}}

{{- /* The Pod template: (dict "root" $ "shards" 4). */ -}}
{{- define "proxyswapper.mirror.pod" -}}
{{- $root := .root -}}
{{- $own := $root.Values.mirror -}}
{{- $identity := $own.cloudIdentity | default $root.Values.cloudIdentity -}}
metadata:
  labels:
    {{- include "proxyswapper.podLabels" (dict "root" $root "component" "mirror" "identity" $identity) | nindent 4 }}
spec:
  serviceAccountName: {{ include "proxyswapper.mirror.name" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  restartPolicy: Never
  # A running copy may finish.
  terminationGracePeriodSeconds: 60
  securityContext:
    {{- toYaml $root.Values.podSecurityContext | nindent 4 }}
  {{- include "proxyswapper.placement" (dict "root" $root "nodeSelector" $own.nodeSelector "tolerations" $own.tolerations) | trim | nindent 2 }}
  containers:
    - name: mirror
      {{- include "proxyswapper.program" $root | nindent 6 }}
      args:
        - mirror
        - --config-file
        - /etc/proxyswapper/mirror.yaml
        {{- range $own.args }}
        - {{ . | quote }}
        {{- end }}
      env:
        {{- if .shards }}
        # Kubernetes provides the index; the count must be passed.
        - name: JOB_PARALLELISM
          value: {{ .shards | quote }}
        {{- end }}
        - name: HOME
          value: /tmp
        {{- if $root.Values.dockerConfigSecret }}
        - name: DOCKER_CONFIG
          value: /etc/docker
        {{- end }}
        {{- include "proxyswapper.authorities.env" $root | trim | nindent 8 }}
        {{- with $own.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $own.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      resources:
        {{- toYaml $own.resources | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/proxyswapper
          readOnly: true
        - name: tmp
          mountPath: /tmp
        {{- if $root.Values.dockerConfigSecret }}
        - name: docker-config
          mountPath: /etc/docker
          readOnly: true
        {{- end }}
        {{- include "proxyswapper.authorities.mounts" $root | trim | nindent 8 }}
        {{- with $own.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "proxyswapper.mirror.name" $root }}
    - name: tmp
      emptyDir:
        sizeLimit: {{ $root.Values.tmpSizeLimit }}
    {{- with $root.Values.dockerConfigSecret }}
    - name: docker-config
      secret:
        secretName: {{ . }}
        items: [{key: .dockerconfigjson, path: config.json}]
    {{- end }}
    {{- include "proxyswapper.authorities.volumes" $root | trim | nindent 4 }}
    {{- with $own.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
