using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Mirroring;

namespace ProxySwapper.Tests.Mirroring;

[TestFixture]
internal sealed class MirrorFileReaderTests
{
    [Test]
    public void A_replicant_file_is_read_unchanged()
    {
        var file = MirrorFiles.Read(
            """
            images:
              image-name-1:
                source: docker.io/project/image
                destination: gcr.io/private-repo/project/image
                mode: higher # when not specified, defaults to `highest`
                allow-prerelease: yes
                replace-tag: true
              image-name-2:
                source: quay.io/jetstack/cert-manager-controller
                destination: eu.gcr.io/team/cert-manager-controller
                compatibility: alpine
                pinned-major: 6
            """
        );
        Assert.Multiple(() =>
        {
            Assert.That(file.Images.Select(image => image.Name), Is.EqualTo(new[] { "image-name-1", "image-name-2" }));
            Assert.That(file.Images[0].Source.Name, Is.EqualTo("docker.io/project/image"));
            Assert.That(
                file.Images[0].Filter,
                Is.EqualTo(
                    new TagFilter
                    {
                        Mode = MirrorMode.Higher,
                        AllowPrerelease = true,
                        Allow = file.Images[0].Filter.Allow,
                        Deny = file.Images[0].Filter.Deny,
                    }
                )
            );
            Assert.That(file.Images[0].ReplaceTag, Is.True);
            Assert.That(file.Images[1].Filter.Mode, Is.EqualTo(MirrorMode.Highest));
            Assert.That(file.Images[1].Filter.Compatibility, Is.EqualTo("alpine"));
            Assert.That(file.Images[1].Filter.PinnedMajor, Is.EqualTo(6));
        });
    }

    [Test]
    public void The_names_of_older_files_are_read()
    {
        var image = MirrorFiles.Read("images: {x: {upstream: nginx, downstream: registry.example/nginx}}").Images[0];
        Assert.That((image.Source.Name, image.Destination.Name), Is.EqualTo(("docker.io/library/nginx", "registry.example/nginx")));
    }

    [Test]
    public void Top_level_mode_and_platforms_apply_to_images_without_their_own()
    {
        var images = MirrorFiles
            .Read(
                """
                mode: semver
                platforms: [linux/amd64, linux/arm64/v8]
                images:
                  a: {source: a, destination: r.example/a}
                  b: {source: b, destination: r.example/b, mode: all, platforms: linux/s390x, referrers: true}
                """
            )
            .Images;
        Assert.Multiple(() =>
        {
            Assert.That(images.Select(image => image.Filter.Mode), Is.EqualTo(new[] { MirrorMode.Semver, MirrorMode.All }));
            Assert.That(
                images.Select(image => string.Join(' ', image.Platforms)),
                Is.EqualTo(new[] { "linux/amd64 linux/arm64/v8", "linux/s390x" })
            );
            Assert.That(images.Select(image => image.Referrers), Is.EqualTo(new[] { false, true }));
        });
    }

    [Test]
    public void All_faults_are_reported_at_once_with_line_and_column()
    {
        var faults = FaultsOf(
            """
            mode: fastest
            imagse: {}
            images:
              a:
                source: docker.io/project/image:1.0
                destination: r.example/UPPER
                pinned-major: 2000
              b:
                source: x
                upstream: y
                destination: r.example/x
                newest: none
                tags: {allow: ['('], only: [x]}
                semverRange: '>>1'
              c:
              d: {source: x}
              e: {source: x, destination: r.example/x, mode: highest, higher-from: 1.0.0}
              f: {source: x, destination: docker.io/library/x, allow-prerelease: perhaps, platforms: [amd64]}
            """
        );
        Assert.That(
            faults.Select(fault => $"{fault.Line}:{fault.Column} {fault.Key}"),
            Is.EquivalentTo(
                new[]
                {
                    "1:7 mode",
                    "2:1 ",
                    "5:13 images.a.source",
                    "6:18 images.a.destination",
                    "7:19 images.a.pinned-major",
                    "10:15 images.b.upstream",
                    "12:13 images.b.newest",
                    "13:20 images.b.tags.allow[0]",
                    "13:26 images.b.tags",
                    "14:18 images.b.semverRange",
                    "15:5 images.c",
                    "16:6 images.d.destination",
                    "17:72 images.e.higher-from",
                    "18:31 images.f.destination",
                    "18:70 images.f.allow-prerelease",
                    "18:91 images.f.platforms[0]",
                }
            ),
            string.Join('\n', faults)
        );
    }

    [Test]
    public void Both_names_of_one_key_are_rejected_with_an_explanation() =>
        Assert.That(
            FaultsOf("images: {b: {source: x, upstream: y, destination: r.example/x}}").Single().Message,
            Does.Contain("old name of source")
        );

    [TestCase("images: [", "invalid YAML")]
    [TestCase("[]", "mapping")]
    [TestCase("", "images")]
    [TestCase("images: {a: {source: a, destination: r.example/a}, a: {source: a, destination: r.example/a}}", "")]
    [TestCase(
        "images: {a: {source: 'a:99999/x', destination: r.example/a}}",
        "'a:99999' is not a registry host: a port is from 1 to 65535"
    )]
    [TestCase("images: {a: {source: x, destination: '[:::]/a'}}", "'[:::]' is not a registry host: an address in brackets is IPv6")]
    [TestCase("{images: {a: {source: x, destination: r.example/a}}, registries: [{host: r.example, region: '%'}]}", "must be a region")]
    public void An_invalid_mirror_file_is_reported(string text, string message) =>
        Assert.That(FaultsOf(text)[0].ToString(), Does.Contain(message));

    [Test]
    public void A_file_that_is_missing_is_reported() =>
        Assert.That(
            () => MirrorFileReader.Read("/nowhere/replicant.yaml"),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("/nowhere/replicant.yaml")
        );

    private static IReadOnlyList<ConfigurationFault> FaultsOf(string text) =>
        Assert.Throws<ConfigurationException>(() => MirrorFiles.Read(text))!.Faults;
}
