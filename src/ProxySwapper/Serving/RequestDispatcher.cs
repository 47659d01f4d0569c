using ProxySwapper.Admission;
using ProxySwapper.Management;

namespace ProxySwapper.Serving;

/// <summary>The TLS port serves reviews only; everything else is on the plain port.</summary>
internal sealed class RequestDispatcher(AdmissionEndpoint admission, ManagementPages pages, ConnectionLimits limits)
{
    public Task RespondAsync(HttpContext context)
    {
        (context.Request.IsHttps ? limits.Webhook : limits.Management).BeginRequest(context);
        var handling = HandleAsync(context);
        return handling.IsCompletedSuccessfully ? Task.CompletedTask : IgnoreAbortAsync(context, handling);
    }

    private static async Task IgnoreAbortAsync(HttpContext context, Task handling)
    {
        try
        {
            await handling;
        }
        catch (IOException)
        {
            // The client is gone, or its connection was closed to make room.
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested) { }
    }

    private Task HandleAsync(HttpContext context) =>
        !context.Request.IsHttps ? pages.RespondAsync(context)
        : context.Request.Path.Value == AdmissionEndpoint.Path ? admission.RespondAsync(context)
        : ManagementPages.NotFound(context);
}
