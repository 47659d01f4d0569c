using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ProxySwapper.Registry.Oci;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Registry.InMemory;

/// <summary>Handles one request of the distribution protocol from an <see cref="InMemoryRegistry"/>'s memory.</summary>
internal sealed class InMemoryRegistryEndpoint(InMemoryRegistry registry)
{
    private readonly InMemoryRegistryUploads _uploads = new(registry);

    public Task RespondAsync(HttpContext context)
    {
        context.Response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";
        if (!IsAuthorized(context.Request))
        {
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"in-memory registry\"";
            return ErrorAsync(context, StatusCodes.Status401Unauthorized, "UNAUTHORIZED", "authentication required");
        }
        var route = InMemoryRegistryRoute.Of(context.Request);
        var method = context.Request.Method;
        return (route.Kind, method) switch
        {
            (Kind.Ping, _) => Task.CompletedTask,
            (Kind.Manifest, "GET" or "HEAD") => ReadManifestAsync(context, route),
            (Kind.Manifest, "PUT") => WriteManifestAsync(context, route),
            (Kind.Manifest, "DELETE") => DeleteManifestAsync(context, route),
            (Kind.Blob, "GET" or "HEAD") => ReadBlobAsync(context, route),
            (Kind.Upload or Kind.Mount, _) => _uploads.RespondAsync(context, route),
            (Kind.Tags, "GET") => ListTagsAsync(context, route.Repository),
            (Kind.Referrers, "GET") when registry.Options.ReferrersApi => ListReferrersAsync(context, route),
            (Kind.Other or Kind.Referrers, _) => ErrorAsync(context, StatusCodes.Status404NotFound, "UNSUPPORTED", "no such endpoint"),
            _ => ErrorAsync(context, StatusCodes.Status405MethodNotAllowed, "UNSUPPORTED", "no such method"),
        };
    }

    public static async Task ErrorAsync(HttpContext context, int status, string code, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        if (context.Request.Method == "HEAD")
            return;
        await WriteJsonAsync(
            context,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteStartArray("errors");
                writer.WriteStartObject();
                writer.WriteString("code", code);
                writer.WriteString("message", message);
                writer.WriteEndObject();
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
        );
    }

    private bool IsAuthorized(HttpRequest request)
    {
        if (registry.Options.Password is not { } password)
            return true;
        var expected = Encoding.UTF8.GetBytes($"{registry.Options.Username}:{password}");
        return AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var sent)
            && sent is { Scheme: "Basic", Parameter: { } parameter }
            && CryptographicOperations.FixedTimeEquals(
                Encoding.ASCII.GetBytes(parameter),
                Encoding.ASCII.GetBytes(Convert.ToBase64String(expected))
            );
    }

    private async Task ReadManifestAsync(HttpContext context, InMemoryRegistryRoute route)
    {
        if (!registry.Repositories.TryGetValue(route.Repository, out var repository))
        {
            await ErrorAsync(context, StatusCodes.Status404NotFound, "NAME_UNKNOWN", "repository name not known to registry");
            return;
        }
        if (repository.Find(route.Reference) is not { } manifest)
        {
            await ErrorAsync(context, StatusCodes.Status404NotFound, "MANIFEST_UNKNOWN", "manifest unknown");
            return;
        }
        context.Response.ContentType = manifest.MediaType;
        context.Response.ContentLength = manifest.Bytes.Length;
        context.Response.Headers["Docker-Content-Digest"] = manifest.Digest.ToString();
        if (context.Request.Method == "GET")
            await context.Response.Body.WriteAsync(manifest.Bytes, context.RequestAborted);
    }

    private async Task WriteManifestAsync(HttpContext context, InMemoryRegistryRoute route)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var bytes = body.ToArray();
        var isDigest = Digest.TryParse(route.Reference, out var named);
        if (isDigest && !named.Matches(bytes))
        {
            await ErrorAsync(context, StatusCodes.Status400BadRequest, "DIGEST_INVALID", "the content has another digest");
            return;
        }
        var manifest = new Manifest(context.Request.ContentType ?? MediaTypes.OciManifest, isDigest ? named : Digest.OfBytes(bytes), bytes);
        ManifestReferences references;
        try
        {
            references = ManifestReferences.Read(manifest);
        }
        catch (FormatException fault)
        {
            await ErrorAsync(context, StatusCodes.Status400BadRequest, "MANIFEST_INVALID", fault.Message);
            return;
        }
        var repository = registry.Repository(route.Repository);
        if (references.Blobs.FirstOrDefault(blob => !repository.Blobs.ContainsKey(blob.Digest)) is { } blob)
        {
            await ErrorAsync(context, StatusCodes.Status400BadRequest, "MANIFEST_BLOB_UNKNOWN", $"blob unknown: {blob.Digest}");
            return;
        }
        if (
            !registry.Options.SparseIndexes
            && references.Children.FirstOrDefault(child => !repository.Manifests.ContainsKey(child.Digest)) is { } child
        )
        {
            await ErrorAsync(context, StatusCodes.Status400BadRequest, "MANIFEST_BLOB_UNKNOWN", $"manifest unknown: {child.Digest}");
            return;
        }
        if (!isDigest && registry.Options.ImmutableTags && repository.Tags.ContainsKey(route.Reference))
        {
            await ErrorAsync(
                context,
                StatusCodes.Status400BadRequest,
                "TAG_INVALID",
                $"The image tag '{route.Reference}' already exists and cannot be overwritten because the repository is immutable."
            );
            return;
        }
        repository.Manifests[manifest.Digest] = manifest;
        if (!isDigest)
            repository.Tags[route.Reference] = manifest.Digest;
        context.Response.StatusCode = StatusCodes.Status201Created;
        context.Response.Headers.Location = $"/v2/{route.Repository}/manifests/{manifest.Digest}";
        context.Response.Headers["Docker-Content-Digest"] = manifest.Digest.ToString();
        if (registry.Options.ReferrersApi && references.Subject is { } subject)
            context.Response.Headers["OCI-Subject"] = subject.ToString();
    }

    private async Task DeleteManifestAsync(HttpContext context, InMemoryRegistryRoute route)
    {
        var repository = registry.Repository(route.Repository);
        var found = Digest.TryParse(route.Reference, out var digest)
            ? repository.Manifests.TryRemove(digest, out _)
            : repository.Tags.TryRemove(route.Reference, out _);
        if (found)
            context.Response.StatusCode = StatusCodes.Status202Accepted;
        else
            await ErrorAsync(context, StatusCodes.Status404NotFound, "MANIFEST_UNKNOWN", "manifest unknown");
    }

    private async Task ReadBlobAsync(HttpContext context, InMemoryRegistryRoute route)
    {
        if (
            !registry.Repositories.TryGetValue(route.Repository, out var repository)
            || !Digest.TryParse(route.Reference, out var digest)
            || !repository.Blobs.TryGetValue(digest, out var content)
        )
        {
            await ErrorAsync(context, StatusCodes.Status404NotFound, "BLOB_UNKNOWN", "blob unknown to registry");
            return;
        }
        var response = context.Response;
        response.ContentType = "application/octet-stream";
        response.Headers["Docker-Content-Digest"] = digest.ToString();
        response.Headers.AcceptRanges = "bytes";
        if (
            RangeHeaderValue.TryParse(context.Request.Headers.Range, out var range)
            && range.Ranges.FirstOrDefault() is { From: { } from } one
        )
        {
            if (from >= content.Length)
            {
                response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
                return;
            }
            var to = Math.Min(one.To ?? content.Length - 1, content.Length - 1);
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{to}/{content.Length}");
            content = content[(int)from..(int)(to + 1)];
        }
        response.ContentLength = content.Length;
        if (context.Request.Method == "GET")
            await response.Body.WriteAsync(content, context.RequestAborted);
    }

    private async Task ListTagsAsync(HttpContext context, string name)
    {
        if (!registry.Repositories.TryGetValue(name, out var repository))
        {
            await ErrorAsync(context, StatusCodes.Status404NotFound, "NAME_UNKNOWN", "repository name not known to registry");
            return;
        }
        var last = context.Request.Query["last"].ToString();
        var tags = repository.Tags.Keys.Where(tag => string.CompareOrdinal(tag, last) > 0).Order(StringComparer.Ordinal).ToList();
        if (int.TryParse(context.Request.Query["n"], CultureInfo.InvariantCulture, out var count) && count < tags.Count)
        {
            tags.RemoveRange(count, tags.Count - count);
            if (count > 0)
                context.Response.Headers.Link = string.Create(
                    CultureInfo.InvariantCulture,
                    $"</v2/{name}/tags/list?n={count}&last={Uri.EscapeDataString(tags[^1])}>; rel=\"next\""
                );
        }
        context.Response.ContentType = "application/json";
        await WriteJsonAsync(
            context,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("name", name);
                writer.WriteStartArray("tags");
                foreach (var tag in tags)
                    writer.WriteStringValue(tag);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
        );
    }

    private async Task ListReferrersAsync(HttpContext context, InMemoryRegistryRoute route)
    {
        context.Response.ContentType = MediaTypes.OciIndex;
        var subject = Digest.TryParse(route.Reference, out var digest) ? digest : default;
        var manifests = registry.Repositories.TryGetValue(route.Repository, out var repository) ? repository.Manifests.Values : [];
        await WriteJsonAsync(
            context,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("schemaVersion", 2);
                writer.WriteString("mediaType", MediaTypes.OciIndex);
                writer.WriteStartArray("manifests");
                foreach (var manifest in manifests)
                    if (ManifestReferences.Read(manifest) is var references && references.Subject == subject)
                        DescriptorJson.Write(writer, references.Referrer);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
        );
    }

    private static async Task WriteJsonAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        write(writer);
        await writer.FlushAsync(context.RequestAborted);
    }
}
