using System.Net.Sockets;

namespace ProxySwapper.Commands.Output;

/// <summary>Why a server could not start listening, in one line.</summary>
internal static class ListenFailure
{
    /// <param name="fault">Kestrel's exception: its message names the address, its inner exception is the socket's.</param>
    /// <param name="ports">The ports to listen on.</param>
    public static string Message(Exception fault, params int[] ports)
    {
        var socket = Causes(fault).OfType<SocketException>().FirstOrDefault();
        var reason = socket?.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => "address already in use",
            SocketError.AccessDenied => "permission denied; ports below 1024 require CAP_NET_BIND_SERVICE",
            _ when Causes(fault).Any(cause => cause.Message.Contains("address already in use", StringComparison.OrdinalIgnoreCase)) =>
                "address already in use",
            _ => fault.Message,
        };
        // Kestrel's message contains the address: http://127.0.0.1:5002.
        var named = ports.Where(port => Causes(fault).Any(cause => cause.Message.Contains($":{port}", StringComparison.Ordinal))).ToList();
        return named is [var only]
            ? $"cannot listen on port {only}: {reason}"
            : $"cannot listen on ports {string.Join(" and ", ports)}: {reason}";
    }

    private static IEnumerable<Exception> Causes(Exception fault)
    {
        for (Exception? cause = fault; cause is not null; cause = cause.InnerException)
            yield return cause;
    }
}
