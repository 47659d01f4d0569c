using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Packaging;

/// <summary>Properties of the image that can be checked without building it.</summary>
[TestFixture]
internal sealed class ContainerFileTests
{
    private readonly IReadOnlyList<ContainerInstruction> _all = ContainerFile.Read();
    private readonly IReadOnlyList<ContainerInstruction> _image = [.. ContainerFile.Stage(1)];
    private readonly XDocument _project = XDocument.Load(SourceTree.PathOf("src", "ProxySwapper", "ProxySwapper.csproj"));

    [Test]
    public void Both_base_images_are_pinned_to_a_patch_version_and_its_digest() =>
        Assert.That(
            BaseImages(),
            Has.All.Matches<string>(image =>
                Regex.IsMatch(image, @"^mcr\.microsoft\.com/dotnet/(sdk|runtime-deps):10\.0\.\d+-noble(-chiseled)?@sha256:[0-9a-f]{64}$")
            )
        );

    [Test]
    public void The_sdk_satisfies_what_the_sources_ask_for()
    {
        var sdk = JsonNode.Parse(File.ReadAllText(SourceTree.PathOf("global.json")))!["sdk"]!;
        var (least, built) = (
            Version.Parse($"{sdk["version"]}"),
            Version.Parse(Regex.Match(BaseImages()[0], @":([\d.]+)-").Groups[1].Value)
        );
        Assert.That($"{sdk["rollForward"]}", Is.EqualTo("latestFeature"));
        Assert.That((built.Major, built.Minor), Is.EqualTo((least.Major, least.Minor)));
        Assert.That(built, Is.GreaterThanOrEqualTo(least));
    }

    [Test]
    public void The_build_runs_on_the_machines_own_platform_for_the_one_that_is_requested()
    {
        Assert.That(_all.First(instruction => instruction.Name == "FROM").Arguments, Does.StartWith("--platform=$BUILDPLATFORM "));
        Assert.That(Runs().Where(command => command.StartsWith("dotnet ", StringComparison.Ordinal)), Has.All.Contains("-a $TARGETARCH"));
    }

    [Test]
    public void What_is_published_has_the_runtime_that_the_base_images_are_of() =>
        Assert.That(
            BaseImages()[1],
            Does.Contain($":{XDocument.Load(SourceTree.PathOf("Directory.Build.props")).Descendants("RuntimePackVersion").Single().Value}-")
        );

    [TestCase("packages.linux-x64.lock.json")]
    [TestCase("packages.linux-arm64.lock.json")]
    public void Publishing_locks_the_versions_that_building_locks(string name)
    {
        foreach (var project in Directory.GetDirectories(SourceTree.PathOf("src")).Select(path => Path.GetFileName(path)!))
        {
            var (published, built) = (Locked(project, name), Locked(project, "packages.lock.json"));
            Assert.That(
                published.Where(package => !package.Key.Contains("ILCompiler", StringComparison.Ordinal)),
                Is.EquivalentTo(built),
                $"of {project}: dotnet restore src/ProxySwapper -r RID -p:_IsPublishing=true --force-evaluate"
            );
        }

        static Dictionary<string, string> Locked(string project, string file) =>
            JsonNode.Parse(File.ReadAllText(SourceTree.PathOf("src", project, file)))!["dependencies"]!["net10.0"]!
                .AsObject()
                .Where(package => package.Value!["resolved"] is not null)
                .ToDictionary(package => package.Key, package => $"{package.Value!["resolved"]}");
    }

    [Test]
    public void The_layer_of_packages_has_every_project_with_its_lock_files()
    {
        var copied = ContainerFile.Stage(0).Where(instruction => instruction.Name == "COPY").Select(copy => copy.Arguments).ToList();
        foreach (var project in Directory.GetDirectories(SourceTree.PathOf("src")).Select(path => Path.GetFileName(path)!))
            Assert.That(copied, Has.One.EqualTo($"src/{project}/{project}.csproj src/{project}/packages.*.json src/{project}/"));
    }

    [Test]
    public void The_build_stage_installs_the_linkers_that_the_project_names() =>
        Assert.That(
            Regex.Matches(Runs()[0], "tools=\"([^\"]+)\"").Select(tools => tools.Groups[1].Value),
            Is.EquivalentTo(_project.Descendants("_LinkerPackages").Select(packages => packages.Value))
        );

    [Test]
    public void Packages_are_restored_in_locked_mode() =>
        Assert.That(
            Runs().Where(command => command.StartsWith("dotnet restore", StringComparison.Ordinal)),
            Has.One.Items.And.All.Contains("--locked-mode")
        );

    [Test]
    public void It_publishes_as_is_documented() =>
        Assert.That(Runs()[^1], Does.StartWith("dotnet publish src/ProxySwapper -c Release ").And.Contains("-o /out"));

    [Test]
    public void The_image_has_no_shell_to_run_and_nothing_from_the_network() =>
        Assert.Multiple(() =>
        {
            Assert.That(BaseImages()[1], Does.Contain("-chiseled@"));
            Assert.That(_image.Select(instruction => instruction.Name), Has.None.EqualTo("RUN").And.None.EqualTo("ADD"));
            Assert.That(Single("ENTRYPOINT"), Is.EqualTo("""["/app/proxyswapper"]"""));
            Assert.That(Single("CMD"), Is.EqualTo("""["serve"]"""));
        });

    [Test]
    public void The_user_is_a_number_other_than_roots() => Assert.That(Single("USER"), Does.Match("^[1-9][0-9]*:[1-9][0-9]*$"));

    [Test]
    public void The_labels_are_those_of_the_OCI_specification() =>
        Assert.That(
            Regex
                .Matches(Single("LABEL"), """org\.opencontainers\.image\.([a-z]+)="[^"]+"(?:\s|$)""")
                .Select(label => label.Groups[1].Value),
            Is.EqualTo(new[] { "title", "description", "licenses", "version", "revision" })
        );

    [Test]
    public void Only_what_is_copied_gets_into_the_context()
    {
        var ignored = File.ReadAllLines(SourceTree.PathOf(".dockerignore")).Where(line => line.Length > 0 && line[0] != '#').ToList();
        var sources = ContainerFile
            .Stage(0)
            .Where(instruction => instruction.Name == "COPY")
            .SelectMany(copy => copy.Arguments.Split(' ')[..^1])
            .Select(source => source.StartsWith("src/", StringComparison.Ordinal) ? "src" : source)
            .Distinct();
        Assert.That(ignored[0], Is.EqualTo("*"));
        Assert.That(ignored.Where(line => line[0] == '!').Select(line => line[1..]), Is.EquivalentTo(sources));
    }

    [Test]
    public void PublishContainer_makes_the_same_image() =>
        Assert.Multiple(() =>
        {
            Assert.That(
                Property("ContainerBaseImage").Replace("$(BaseImageDigest)", Property("BaseImageDigest"), StringComparison.Ordinal),
                Is.EqualTo(BaseImages()[1])
            );
            Assert.That(Property("ContainerUser"), Is.EqualTo(Single("USER")));
            Assert.That(Property("ContainerWorkingDirectory"), Is.EqualTo($"{Single("WORKDIR")}/"));
            Assert.That(Item("ContainerPort").Replace(';', ' '), Is.EqualTo(Single("EXPOSE")));
            Assert.That($"""["{Item("ContainerAppCommand")}"]""", Is.EqualTo(Single("ENTRYPOINT")));
            Assert.That($"""["{Item("ContainerDefaultArgs")}"]""", Is.EqualTo(Single("CMD")));
            Assert.That(
                Single("ENV").Split(' '),
                Is.EqualTo(
                    _project
                        .Descendants("ContainerEnvironmentVariable")
                        .Select(variable => $"{variable.Attribute("Include")!.Value}={variable.Attribute("Value")!.Value}")
                )
            );
        });

    private List<string> BaseImages() =>
        [
            .. _all.Where(instruction => instruction.Name == "FROM")
                .Select(from => from.Arguments.Split(' ').First(word => !word.StartsWith("--", StringComparison.Ordinal))),
        ];

    private static List<string> Runs() =>
        [.. ContainerFile.Stage(0).Where(instruction => instruction.Name == "RUN").Select(run => run.Arguments)];

    private string Single(string name) => _image.Single(instruction => instruction.Name == name).Arguments;

    private string Property(string name) => _project.Descendants(name).Single().Value;

    private string Item(string name) => _project.Descendants(name).Single().Attribute("Include")!.Value;
}
