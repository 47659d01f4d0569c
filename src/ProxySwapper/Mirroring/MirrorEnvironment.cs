using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;

namespace ProxySwapper.Mirroring;

/// <summary>
/// Settings of a run from the environment, under our names or replicant's. Conflicting values of one setting are rejected.
/// </summary>
internal sealed record MirrorEnvironment(string? ConfigFile, bool Debug, bool ExitOnError, MirrorShard Shard)
{
    /// <exception cref="ConfigurationException">A variable is not valid; carries every fault.</exception>
    public static MirrorEnvironment Read(EnvironmentVariables variables)
    {
        var faults = new List<ConfigurationFault>();
        var environment = new MirrorEnvironment(Text("CONFIG_FILE"), Flag("DEBUG"), Flag("EXIT_ON_ERROR"), ReadShard(variables, faults));
        return faults.Count > 0 ? throw new ConfigurationException(faults) : environment;

        string? Text(string name)
        {
            var (current, old) = (NonEmpty($"PROXYSWAPPER_MIRROR_{name}"), NonEmpty($"REPLICANT_{name}"));
            if (current is not null && old is not null && current != old)
                faults.Add(
                    new(
                        $"PROXYSWAPPER_MIRROR_{name}",
                        0,
                        0,
                        "",
                        $"is '{current}', and REPLICANT_{name}, its old name, is '{old}'; set one of them"
                    )
                );
            return current ?? old;
        }

        bool Flag(string name)
        {
            var text = Text(name);
            // Booleans in Go's syntax, which replicant's users may have written.
            if (text is null or "0" or "f" or "F" or "false" or "False" or "FALSE")
                return false;
            if (text is not ("1" or "t" or "T" or "true" or "True" or "TRUE"))
                faults.Add(new($"PROXYSWAPPER_MIRROR_{name}", 0, 0, "", $"must be true or false, not '{text}'"));
            return true;
        }

        string? NonEmpty(string name) => variables[name] is { Length: > 0 } text ? text : null;
    }

    /// <summary>The Pod of an Indexed Job knows its index; the chart also passes the number of Pods.</summary>
    private static MirrorShard ReadShard(EnvironmentVariables variables, List<ConfigurationFault> faults)
    {
        var (index, count) = (variables["JOB_COMPLETION_INDEX"], variables["JOB_PARALLELISM"]);
        if (string.IsNullOrEmpty(index) || string.IsNullOrEmpty(count))
            return MirrorShard.All;
        if (MirrorShard.TryParse($"{index}/{count}", out var shard))
            return shard;
        faults.Add(new("JOB_COMPLETION_INDEX", 0, 0, "", $"'{index}' is not below JOB_PARALLELISM '{count}'; use --shard I/N"));
        return MirrorShard.All;
    }
}
