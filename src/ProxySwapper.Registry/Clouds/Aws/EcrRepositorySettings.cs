using System.Text.Json;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>
/// How to create a repository (<see href="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"/>).
/// </summary>
public sealed record EcrRepositorySettings
{
    /// <summary>Whether images are scanned on push. Default true.</summary>
    public bool ScanOnPush { get; init; } = true;

    /// <summary><c>MUTABLE</c> (default) or <c>IMMUTABLE</c>.</summary>
    public string ImageTagMutability { get; init; } = "MUTABLE";

    /// <summary><c>AES256</c> (default) or <c>KMS</c>.</summary>
    public string EncryptionType { get; init; } = "AES256";

    /// <summary>With <c>KMS</c>, the key; null for the AWS-managed key of ECR.</summary>
    public string? KmsKey { get; init; }

    /// <summary>Tags of the resource. Default none.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteString("imageTagMutability", ImageTagMutability);
        json.WriteStartObject("imageScanningConfiguration");
        json.WriteBoolean("scanOnPush", ScanOnPush);
        json.WriteEndObject();
        json.WriteStartObject("encryptionConfiguration");
        json.WriteString("encryptionType", EncryptionType);
        if (KmsKey is not null)
            json.WriteString("kmsKey", KmsKey);
        json.WriteEndObject();
        json.WriteStartArray("tags");
        foreach (var (key, value) in Tags)
        {
            json.WriteStartObject();
            json.WriteString("Key", key);
            json.WriteString("Value", value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
