using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>A permission in terms of RBAC.</summary>
/// <param name="Verb"><c>get</c>, <c>list</c>, <c>watch</c>, <c>create</c>, <c>update</c>, <c>patch</c>, <c>delete</c>.</param>
/// <param name="Type">The kind of object.</param>
/// <param name="Namespace">One namespace, or null for all.</param>
internal sealed record ResourceAccess(string Verb, ResourceType Type, string? Namespace = null);

/// <summary>
/// Asks the API server for our permissions
/// (<see href="https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access">SelfSubjectAccessReview</see>);
/// every account may ask this.
/// </summary>
internal sealed class AccessReviewClient(KubernetesClient client)
{
    /// <summary>Whether we currently have a permission.</summary>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public async Task<bool> IsAllowedAsync(ResourceAccess access, CancellationToken cancellationToken)
    {
        var parts = access.Type.GroupVersion.Split('/');
        var review = new JsonObject
        {
            ["apiVersion"] = ResourceType.SelfSubjectAccessReviews.GroupVersion,
            ["kind"] = "SelfSubjectAccessReview",
            ["spec"] = new JsonObject
            {
                ["resourceAttributes"] = new JsonObject
                {
                    ["verb"] = access.Verb,
                    ["group"] = parts.Length == 2 ? parts[0] : "",
                    ["resource"] = access.Type.Plural,
                    ["namespace"] = access.Namespace ?? "",
                },
            },
        };
        var result = await client.PostAsync(ResourceType.SelfSubjectAccessReviews.CollectionPath(), review, cancellationToken);
        return result.IsTrue("status", "allowed");
    }
}
