using System.Text;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Tests.Registry.Copying;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Transport;

/// <summary>The texts of errors, which never contain secrets.</summary>
[TestFixture]
internal sealed class ErrorTextTests
{
    private const string Password = "s3cret+/=%";

    [Test]
    public async Task A_server_that_echoes_requests_reveals_no_secrets([Values] bool isPlainText)
    {
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes($"user:{Password}"));
        await using var scene = await RegistryScene.StartAsync(
            new InMemoryRegistryOptions { Username = "user", Password = Password },
            credentials: new MutableCredentials(RegistryCredential.Basic("user", Password))
        );
        await scene.Client.PingAsync(default);
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Manifest,
            async (context, _) =>
            {
                context.Response.StatusCode = 400;
                var echo =
                    $"bad request: Authorization: {context.Request.Headers.Authorization} ({Password}, {Uri.EscapeDataString(Password)})";
                context.Response.ContentType = isPlainText ? "text/plain" : "application/json";
                await context.Response.Body.WriteAsync(
                    Encoding.UTF8.GetBytes(isPlainText ? echo : $$"""{"errors":[{"code":"X","message":"{{echo}}"}]}""")
                );
            }
        );
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.GetManifestAsync("a", "1", default))!;
        foreach (var text in fault.Errors.Select(error => error.Message).Append(fault.ToString()))
        {
            Assert.That(text, Does.Contain("Authorization: Basic ***"));
            Assert.That(text, Does.Not.Contain(encoded).And.Not.Contain(Password).And.Not.Contain(Uri.EscapeDataString(Password)));
        }
    }

    /// <param name="kind">The request that gets the response.</param>
    /// <param name="status">Its status.</param>
    /// <param name="header">Its header.</param>
    /// <param name="value">The header's value: {0} is the echo, {1} the same without its padding.</param>
    [TestCase(Kind.Tags, 200, "Link", "{0}")]
    [TestCase(Kind.Tags, 200, "Link", "<{0}>; rel=next")]
    [TestCase(Kind.Tags, 307, "Location", "file://{1}/x")]
    [TestCase(Kind.Manifest, 307, "Location", "ftp://a/{0}")]
    [TestCase(Kind.Manifest, 307, "Location", "ftp://{1}.example.com/")]
    [TestCase(Kind.Manifest, 307, "Location", "http://localhost:1/{0}")]
    [TestCase(Kind.Manifest, 307, "Location", "http://169.254.169.254/{0}")]
    [TestCase(Kind.Manifest, 401, "WWW-Authenticate", "Basic realm=\"{0}\"")]
    [TestCase(Kind.Manifest, 401, "WWW-Authenticate", "Bearer realm=\"http://elsewhere.example.com/{0}\"")]
    [TestCase(Kind.Manifest, 401, "WWW-Authenticate", "Bearer realm=\"http://{1}/\"")]
    [TestCase(Kind.Manifest, 429, "Retry-After", "{0}")]
    [TestCase(Kind.Manifest, 200, "Docker-Content-Digest", "{0}")]
    [TestCase(Kind.Manifest, 200, "Content-Type", "application/{0}")]
    [TestCase(Kind.Blob, 206, "Content-Range", "{0} 0-1/2")]
    [TestCase(Kind.Upload, 202, "Location", "ftp://{1}/x")]
    [TestCase(Kind.Upload, 202, "Location", "http://localhost:1/{0}")]
    [TestCase(Kind.Upload, 202, "Range", "{0}")]
    public async Task A_server_that_echoes_a_credential_in_a_header_reveals_no_secrets(Kind kind, int status, string header, string value)
    {
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes($"user:{Password}"));
        await using var scene = await RegistryScene.StartAsync(
            new InMemoryRegistryOptions { Username = "user", Password = Password },
            RegistryScene.Options with
            {
                MaxRetries = 1,
            },
            new MutableCredentials(RegistryCredential.Basic("user", Password))
        );
        await scene.Client.PingAsync(default);
        scene.Faulty.Always(
            (_, of) => of == kind,
            (context, _) =>
            {
                context.Response.StatusCode = status;
                context.Response.Headers[header] = string.Format(null, value, encoded, encoded.TrimEnd('='));
                return kind == Kind.Tags ? context.Response.Body.WriteAsync("""{"tags":["1"]}"""u8.ToArray()).AsTask() : Task.CompletedTask;
            }
        );
        var blob = new Descriptor("application/octet-stream", Digest.OfBytes("content"u8), 7);
        Func<Task> send = kind switch
        {
            Kind.Tags => async () => await scene.Client.ListTagsAsync("a", default).ToListAsync(),
            Kind.Manifest => () => scene.Client.GetManifestAsync("a", "1", default),
            Kind.Blob => () => scene.Client.OpenBlobAsync("a", blob, default),
            _ => () =>
                scene.Client.UploadBlobAsync(
                    "a",
                    blob,
                    _ => Task.FromResult<Stream>(new MemoryStream("content"u8.ToArray())),
                    null,
                    default
                ),
        };
        // A second request meets what the first one left, such as the challenge.
        for (var i = 0; i < 2; i++)
        {
            var fault = Assert.ThrowsAsync<RegistryException>(() => send())!;
            foreach (var text in scene.Log.Lines.Select(line => line.Text).Append(fault.Message))
            foreach (var secret in new[] { encoded, encoded.TrimEnd('='), Password, Uri.EscapeDataString(encoded) })
                Assert.That(text, Does.Not.Contain(secret).IgnoreCase);
        }
    }

    /// <param name="challenge">The registry's, with its address.</param>
    [TestCase("Basic realm=x")]
    [TestCase("Bearer realm=\"http://{0}/token\"")]
    public async Task A_server_that_echoes_a_credential_in_a_platform_reveals_no_secrets(string challenge)
    {
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes($"user:{Password}"));
        await using var scene = await CopyScene.StartAsync();
        scene.Source.Registry.AddManifest(
            "team/app",
            MediaTypes.OciIndex,
            Encoding.UTF8.GetBytes(
                $$"""
                {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{"mediaType":"{{MediaTypes.OciManifest}}",
                "digest":"{{Digest.OfBytes([])}}","size":1,"platform":{"os":"{{encoded}}","architecture":"{{Password}}"} }]}
                """
            ),
            "1"
        );
        scene.Source.Guard = async (context, registry) =>
        {
            if (context.Request.Path == "/token")
                await context.Response.WriteAsync("""{"token":"of-a-test"}""");
            else if (context.Request.Headers.Authorization.Count > 0)
                await registry(context);
            else
            {
                context.Response.StatusCode = 401;
                context.Response.Headers.WWWAuthenticate = string.Format(null, challenge, context.Request.Host);
            }
        };
        var request = scene.Request() with
        {
            Platforms = [new Platform("linux", "arm64")],
            SourceCredentials = new MutableCredentials(RegistryCredential.Basic("user", Password)),
        };
        Assert.That(
            async () => await scene.CopyAsync(request),
            Throws.InstanceOf<CopyException>().With.Message.EndsWith("has no linux/arm64; it has ***/***")
        );
    }

    [Test]
    public void A_media_type_that_is_not_known_is_not_shown() =>
        Assert.That(
            () => ManifestReferences.Read(new Manifest("application/echo", Digest.OfBytes("{"u8), "{"u8.ToArray())),
            Throws.InstanceOf<FormatException>().With.Message.Contain("is not a valid manifest").And.Message.Not.Contain("echo")
        );

    [Test]
    public async Task A_token_server_that_echoes_a_form_reveals_no_secrets()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await RegistryScene.StartAsync(
            credentials: new MutableCredentials(RegistryCredential.Identity("long-lived-identity"))
        );
        scene.Faulty.Guard = tokens.GuardAsync;
        tokens.NextFault = async (context, _) =>
        {
            context.Response.StatusCode = 400;
            using var reader = new StreamReader(context.Request.Body);
            await context.Response.Body.WriteAsync(
                Encoding.UTF8.GetBytes($$"""{"error":"invalid_request","error_description":"{{await reader.ReadToEndAsync()}}"}""")
            );
        };
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.HeadManifestAsync("team/app", "1", default))!;
        Assert.That(fault.Message, Does.Contain("refresh_token=***").And.Not.Contain("long-lived-identity"));
    }

    [Test]
    public async Task A_token_that_is_too_long_to_be_sent_is_rejected()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Guard = tokens.GuardAsync;
        var token = new string('a', RegistryCredential.MaximumLength + 1);
        tokens.NextFault = (context, _) => context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($$"""{"token":"{{token}}"}""")).AsTask();
        Assert.That(
            async () => await scene.Client.HeadManifestAsync("team/app", "1", default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("the token has more than 32768 characters")
        );
    }

    [Test]
    public async Task A_token_that_is_not_given_is_an_error_with_the_realm_and_the_repository()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await RegistryScene.StartAsync(
            credentials: new MutableCredentials(RegistryCredential.Basic("user", "wrong"))
        );
        tokens.Users["user"] = "right";
        scene.Faulty.Guard = tokens.GuardAsync;
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.GetManifestAsync("team/app", "1", default))!;
        Assert.That(
            fault.Message,
            Is.EqualTo(
                $"GET {scene.Registry.Address}: unauthorized (HTTP 401): UNAUTHORIZED: incorrect username or password: "
                    + $"the token server {tokens.Realm}, scope repository:team/app:pull"
            )
        );
        Assert.That(fault.Host.Text, Is.EqualTo(scene.Registry.Address), "the registry cannot be used without its token server");
    }

    [Test]
    public async Task A_realm_that_is_not_called_is_named()
    {
        await using var tokens = await TokenServer.StartAsync();
        tokens.NamedRealm = "http://elsewhere.example.com/token?key=value";
        await using var scene = await RegistryScene.StartAsync(credentials: new MutableCredentials(RegistryCredential.Basic("user", "x")));
        scene.Faulty.Guard = tokens.GuardAsync;
        Assert.That(
            async () => await scene.Client.HeadManifestAsync("team/app", "1", default),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.Contain("/team/app:1: unauthorized (HTTP 401)")
                .And.Message.Contain("http://elsewhere.example.com/token is neither")
                .And.Message.Not.Contain("key=value")
        );
    }

    [Test]
    public async Task A_blob_that_fails_is_named_by_its_digest()
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("a", "content"u8.ToArray());
        scene.Registry.Repository("a").Blobs.Clear();
        Assert.That(
            async () => await scene.Client.OpenBlobAsync("a", blob, default),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.EqualTo(
                    $"GET {scene.Registry.Address}/a@{blob.Digest}: not found (HTTP 404): BLOB_UNKNOWN: blob unknown to registry"
                )
        );
    }

    [TestCase("http://169.254.169.254/", true)]
    [TestCase("http://169.254.169.254./", true)]
    [TestCase("http://2852039166/", true)]
    [TestCase("http://0xa9.0xfe.0xa9.0xfe/", true)]
    [TestCase("https://[fe80::1]/", true)]
    [TestCase("https://[fd00:ec2::254]/", true)]
    [TestCase("https://[::ffff:169.254.169.254]/", true)]
    [TestCase("https://[::169.254.169.254]/", true)]
    [TestCase("https://[64:ff9b::a9fe:a9fe]/", true)]
    [TestCase("https://[64:ff9b:1::a9fe:a9fe]/", true)]
    [TestCase("https://[2002:a9fe:a9fe::1]/", true)]
    [TestCase("https://[fd00:ec2::23]/", true)]
    [TestCase("https://[fd20:ce::254]/", true)]
    [TestCase("https://[fd00:42::42]/", true)]
    [TestCase("https://[fd00:42::43]/", false)]
    [TestCase("https://[fd00:100::100:200]/", true)]
    [TestCase("https://[fd00:a9fe:a9fe::1]/", true)]
    [TestCase("https://[fd00:c1::a9fe:a9fe]/", true)]
    [TestCase("http://192.0.0.192/", true)]
    [TestCase("http://100.100.100.200/", true)]
    [TestCase("http://168.63.129.16./", true)]
    [TestCase("https://[::ffff:100.100.100.200]/", true)]
    [TestCase("https://[64:ff9b::a83f:8110]/", true)]
    [TestCase("http://168.63.129.17/", false)]
    [TestCase("http://100.100.100.100/", false)]
    [TestCase("https://[fd00:ec3::254]/", false)]
    [TestCase("https://[64:ff9b::a00:1]/", false)]
    [TestCase("https://[::1]/", false)]
    [TestCase("https://10.0.0.1/", false)]
    [TestCase("https://169.254.example.com/", false)]
    public void Link_local_addresses_are_known_in_every_way_to_write_them(string address, bool expected) =>
        Assert.That(MetadataAddress.IsMatch(new Uri(address)), Is.EqualTo(expected));
}
