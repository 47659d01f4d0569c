using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Population.Transfer;

/// <summary>
/// Records downstream which source each tag comes from, for rules by which two sources may share a target. The record is an artifact in
/// the tag's own repository, so that every replica and the next start know it: only the source that a tag came from may move it, and
/// nobody moves a tag without a record, since its source is unknown.
/// </summary>
internal sealed class TagSources(RegistryServices access)
{
    /// <summary>How the tags of records begin.</summary>
    public const string Prefix = "proxyswapper-source-";

    private const string Annotation = "io.proxyswapper.source";
    private const string ArtifactType = "application/vnd.proxyswapper.source.v1";

    // https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md#guidance-for-an-empty-descriptor
    private const string EmptyType = "application/vnd.oci.empty.v1+json";
    private static readonly byte[] Empty = "{}"u8.ToArray();

    /// <summary>True for a record's tag: no image may come under it, or it could pass for a record.</summary>
    public static bool IsRecord(ImageReference target) => target.Tag?.StartsWith(Prefix, StringComparison.Ordinal) == true;

    /// <summary>The name of the repository that a tag was copied from; null if that is not recorded.</summary>
    /// <exception cref="RegistryException">The target could not be queried.</exception>
    public async Task<string?> FindAsync(ImageReference target, CancellationToken cancellationToken)
    {
        try
        {
            var record = await Client(target).GetManifestAsync(target.Repository, RecordOf(target), cancellationToken);
            using var json = JsonDocument.Parse(record.Bytes);
            return
                json.RootElement.TryGetProperty("annotations", out var annotations)
                && annotations.ValueKind == JsonValueKind.Object
                && annotations.TryGetProperty(Annotation, out var source)
                && source.ValueKind == JsonValueKind.String
                ? source.GetString()
                : null;
        }
        catch (RegistryException missing) when (missing.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Records where a tag comes from.</summary>
    /// <exception cref="RegistryException">The target returned an error.</exception>
    public async Task RecordAsync(ImageReference target, ImageReference source, CancellationToken cancellationToken)
    {
        var empty = new Descriptor(EmptyType, Digest.OfBytes(Empty), Empty.Length);
        await Client(target)
            .UploadBlobAsync(target.Repository, empty, _ => Task.FromResult<Stream>(new MemoryStream(Empty)), null, cancellationToken);
        var bytes = Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = MediaTypes.OciManifest,
                ["artifactType"] = ArtifactType,
                ["config"] = Entry(empty),
                ["layers"] = new JsonArray(Entry(empty)),
                ["annotations"] = new JsonObject { [Annotation] = source.Name },
            }.ToJsonString()
        );
        var record = new Manifest(MediaTypes.OciManifest, Digest.OfBytes(bytes), bytes);
        await Client(target).PutManifestAsync(target.Repository, RecordOf(target), record, cancellationToken);
    }

    private static JsonObject Entry(Descriptor blob) =>
        new()
        {
            ["mediaType"] = blob.MediaType,
            ["digest"] = blob.Digest.ToString(),
            ["size"] = blob.Size,
        };

    private static string RecordOf(ImageReference target) =>
        $"{Prefix}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target.Tag ?? "latest")))[..32]}";

    private RegistryClient Client(ImageReference target) => access.Clients.For(target.Registry, access.Credentials);
}
