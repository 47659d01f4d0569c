namespace ProxySwapper.Registry.Transport;

/// <summary>What was to be uploaded could not be read: no fault of the registry that it goes to. Never leaves the library.</summary>
internal sealed class BlobSourceException(Exception fault) : Exception(fault.Message, fault)
{
    /// <summary>Throws what the source threw, as it was.</summary>
    public void Rethrow() => System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(InnerException!);
}
