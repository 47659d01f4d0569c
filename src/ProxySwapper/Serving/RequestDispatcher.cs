using ProxySwapper.Admission;
using ProxySwapper.Management;

namespace ProxySwapper.Serving;

/// <summary>The TLS port serves reviews only; everything else is on the plain port.</summary>
internal sealed class RequestDispatcher(AdmissionEndpoint admission, ManagementPages pages, ConnectionLimits limits)
{
    public Task AnswerAsync(HttpContext context)
    {
        var limiter = context.Request.IsHttps ? limits.Webhook : limits.Management;
        var connection = limiter.BeginRequest(context);
        var answer = Answer(context);
        if (!answer.IsCompletedSuccessfully)
            return EndAsync(context, limiter, connection, answer);
        limiter.EndRequest(connection, IsGood(context));
        return Task.CompletedTask;
    }

    private static async Task EndAsync(HttpContext context, ConnectionLimiter limiter, LimitedConnection? connection, Task answer)
    {
        try
        {
            await answer;
        }
        catch (IOException)
        {
            // The client is gone, or its connection was closed to make room.
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested) { }
        finally
        {
            limiter.EndRequest(connection, IsGood(context));
        }
    }

    private Task Answer(HttpContext context) =>
        !context.Request.IsHttps ? pages.AnswerAsync(context)
        : context.Request.Path.Value == AdmissionEndpoint.Path ? admission.AnswerAsync(context)
        : ManagementPages.NotFound(context);

    private static bool IsGood(HttpContext context) => context.Response.StatusCode == StatusCodes.Status200OK;
}
