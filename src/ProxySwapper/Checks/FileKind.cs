namespace ProxySwapper.Checks;

/// <summary>The kinds of files that people write for the program, in the order in which they are considered.</summary>
internal enum FileKind
{
    /// <summary>The configuration file of <c>serve</c>.</summary>
    Configuration,

    /// <summary>The file of <c>mirror</c>.</summary>
    MirrorFile,

    /// <summary>Values of the chart.</summary>
    ChartValues,
}
