using System.Runtime.ExceptionServices;

namespace ProxySwapper.Registry.Transport;

/// <summary>The content to upload could not be read, which is not the target registry's failure. Never leaves the library.</summary>
internal sealed class BlobSourceException(Exception fault) : Exception(fault.Message, fault)
{
    /// <summary>The source's failure behind a failed request, or null.</summary>
    public static BlobSourceException? Of(Exception fault) =>
        fault as BlobSourceException ?? (fault.InnerException is { } inner ? Of(inner) : null);

    /// <summary>Rethrows the source's exception.</summary>
    public void Rethrow() => ExceptionDispatchInfo.Throw(InnerException!);
}
