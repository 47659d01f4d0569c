using FsCheck;
using FsCheck.Fluent;
using ProxySwapper.Tests.Registry;

namespace ProxySwapper.Tests.Rules;

/// <summary>Generates targets of rules, valid and invalid ones.</summary>
internal static class TargetGenerator
{
    public static Gen<string> Targets { get; } =
        Gen.OneOf(
            Gen.Elements(
                "r.example",
                "r.example/a",
                "r.example:5000/a/b",
                "[::1]:5000",
                "localhost",
                "docker.io/my-org",
                "index.docker.io/my-org",
                "quay.io/hub",
                "s.example"
            ),
            from host in ReferenceGenerator.Hosts
            from path in ReferenceGenerator.Paths
            select $"{host}/{path}"
        );
}
