using FsCheck;
using FsCheck.Fluent;

namespace ProxySwapper.Tests.Registry;

/// <summary>Generates references of every form in the grammar, and near misses.</summary>
internal static class ReferenceGenerator
{
    private const string Lower = "abcxyz019";
    private const string Mixed = "abzABZ059";
    private const string Hostile = "aZ0:/@.-_[]%$ \n\0éſ";

    /// <summary>Hosts with a dot, with a port, localhost, IPv4 and bracketed IPv6.</summary>
    public static Gen<string> Hosts { get; } =
        Gen.OneOf(
            Joined(Label, ".", 2, 4),
            Label.SelectMany(_ => Port, (label, port) => label + port),
            from host in Gen.OneOf(
                Joined(Label, ".", 2, 4),
                Gen.Elements("localhost", "10.0.0.1", "[::1]", "[2001:db8::1]", "[2001:DB8:0:0:0:0:0:1]")
            )
            from port in Optional(Port)
            select host + port
        );

    public static Gen<string> Paths { get; } = Joined(Component, "/", 1, 5);

    /// <summary>References as they are printed: with the registry, and with <c>library/</c> for Docker Hub's official images.</summary>
    public static Gen<string> Canonical { get; } =
        from name in Gen.OneOf(
            from host in Hosts
            from path in Paths
            select $"{host.ToLowerInvariant()}/{path}",
            from path in Joined(Component, "/", 2, 5)
            select $"docker.io/{path}"
        )
        from suffix in Suffixes
        select name + suffix;

    /// <summary>References to Docker Hub as users write them.</summary>
    public static Gen<string> Familiar { get; } =
        from prefix in Gen.Elements("", "docker.io/", "index.docker.io/", "Registry-1.docker.io/", "registry.hub.docker.com:443/")
        from path in prefix.Length > 0 ? Paths : from first in Component from rest in Paths select $"{first.Replace('.', '-')}/{rest}"
        from suffix in Suffixes
        select prefix + path + suffix;

    /// <summary>Random structural characters, and references with one character inserted, changed or removed.</summary>
    public static Gen<string> Nearly { get; } =
        Gen.OneOf(
            Text(Hostile, 0, 30),
            from text in Gen.OneOf(Canonical, Familiar, Hosts.Select(host => $"{host}/x"), Hosts.Select(host => $"{host}:443/x"))
            from at in Gen.Choose(0, text.Length)
            from removed in Gen.Choose(0, Math.Min(1, text.Length - at))
            from added in Text(Hostile, 0, 1)
            select text.Remove(at, removed).Insert(at, added)
        );

    private static Gen<string> Label =>
        Gen.OneOf(
            Text(Mixed, 1, 4),
            from first in Text(Mixed, 1, 1)
            from middle in Text(Mixed + "-", 1, 5)
            from last in Text(Mixed, 1, 1)
            select first + middle + last
        );

    private static Gen<string> Port => Gen.Choose(444, 99999).Select(port => $":{port}");

    private static Gen<string> Component =>
        from first in Text(Lower, 1, 4)
        from rest in Gen.ListOf(
            Gen.Elements(".", "_", "__", "-", "--", "----").SelectMany(_ => Text(Lower, 1, 3), (separator, word) => separator + word),
            2
        )
        from count in Gen.Choose(0, 2)
        select first + string.Concat(rest.Take(count));

    private static Gen<string> Suffixes =>
        from tag in Optional(
            from first in Text(Mixed + "_", 1, 1)
            from rest in Gen.OneOf(Text(Mixed + "_.-", 0, 10), Text(Mixed, 127, 127))
            select $":{first}{rest}"
        )
        from digest in Optional(
            Gen.Elements(("sha256", 64), ("sha384", 96), ("sha512", 128))
                .SelectMany(kind => Text("0123456789abcdef", kind.Item2, kind.Item2), (kind, hex) => $"@{kind.Item1}:{hex}")
        )
        select tag + digest;

    private static Gen<string> Optional(Gen<string> text) => Gen.OneOf(Gen.Constant(""), text);

    private static Gen<string> Text(string characters, int minimum, int maximum) =>
        from length in Gen.Choose(minimum, maximum)
        from text in Gen.ArrayOf(Gen.Elements(characters.ToCharArray()), length)
        select new string(text);

    private static Gen<string> Joined(Gen<string> part, string separator, int minimum, int maximum) =>
        from count in Gen.Choose(minimum, maximum)
        from parts in Gen.ListOf(part, count)
        select string.Join(separator, parts);
}
