using System.Text;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>The webhook configuration by which a kube-apiserver calls a process on this machine.</summary>
internal static class WebhookRegistration
{
    public const string Name = "k8s-proxy-image-swapper-webhook";

    /// <summary>A configuration for one namespace, so that tests do not affect each other.</summary>
    public static string Manifest(ProxySwapperProcess process, string @namespace, string failurePolicy = "Ignore", string name = Name) =>
        $$"""
            apiVersion: admissionregistration.k8s.io/v1
            kind: MutatingWebhookConfiguration
            metadata: {name: {{name}}}
            webhooks:
              - name: swap.proxyswapper.io
                admissionReviewVersions: [v1]
                sideEffects: NoneOnDryRun
                failurePolicy: {{failurePolicy}}
                reinvocationPolicy: IfNeeded
                matchPolicy: Equivalent
                timeoutSeconds: 5
                clientConfig:
                  url: https://localhost:{{process.Port}}/mutate
                  caBundle: {{Convert.ToBase64String(Encoding.UTF8.GetBytes(process.Certificates.AuthorityPem))}}
                namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{@namespace}} } }
                rules:
                  - {apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE, UPDATE]}
                  - {apiGroups: [""], apiVersions: [v1], resources: [pods/ephemeralcontainers], operations: [UPDATE]}
            """;
}
