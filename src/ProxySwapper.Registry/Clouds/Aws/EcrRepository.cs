using System.Text.Json;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>A repository of ECR (<see href="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Repository.html"/>).</summary>
/// <param name="Name">Its name, with slashes.</param>
/// <param name="Arn">Its resource name.</param>
/// <param name="HasImmutableTags">True if existing tags cannot be moved.</param>
public sealed record EcrRepository(string Name, string Arn, bool HasImmutableTags)
{
    internal static EcrRepository Read(JsonElement repository) =>
        new(
            repository.GetProperty("repositoryName").GetString() ?? "",
            repository.GetProperty("repositoryArn").GetString() ?? "",
            repository.TryGetProperty("imageTagMutability", out var mutability)
                && mutability.GetString()?.StartsWith("IMMUTABLE", StringComparison.Ordinal) == true
        );
}
