using System.Runtime.ExceptionServices;

namespace ProxySwapper.Registry.Transport;

/// <summary>What was to be uploaded could not be read: not a fault of the registry that it goes to. Never leaves the library.</summary>
internal sealed class BlobSourceException(Exception fault) : Exception(fault.Message, fault)
{
    /// <summary>The fault of the source that a failed request comes from; null when it is another.</summary>
    public static BlobSourceException? Of(Exception fault) =>
        fault as BlobSourceException ?? (fault.InnerException is { } inner ? Of(inner) : null);

    /// <summary>Throws what the source threw, as it was.</summary>
    public void Rethrow() => ExceptionDispatchInfo.Throw(InnerException!);
}
