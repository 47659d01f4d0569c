using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Admission.Json;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>
/// <c>POST /mutate</c>: (1) reads the body within its limits, (2) reads the review, (3) has it decided, (4) awaits what the policies
/// require, by default nothing, (5) writes the response.
/// </summary>
internal sealed class AdmissionEndpoint(
    ConfigurationMonitor rules,
    RequestBodyReader bodies,
    PodAdmission admission,
    AdmissionTelemetry telemetry
)
{
    public const string Path = "/mutate";

    /// <summary>In bytes. Most responses are smaller, and are sent with their end in one frame.</summary>
    private const int LargeResponse = 4 * 1024;

    public async Task RespondAsync(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Post;
            await RejectAsync(context, StatusCodes.Status405MethodNotAllowed, "the method must be POST");
            return;
        }
        if (!IsJson(context.Request.ContentType))
        {
            await RejectAsync(context, StatusCodes.Status415UnsupportedMediaType, "the content type must be application/json");
            return;
        }
        var body = await bodies.ReadAsync(context.Request);
        if (body.Error is { } error)
            await RejectAsync(context, body.Status, error);
        else
        {
            await RespondAsync(context, body);
            await SendAsync(context);
        }
    }

    /// <summary>
    /// Sends a large response at once, which ends when its client has read it: otherwise a request would end before, and nobody would
    /// count what is left. Here, where the review is not kept.
    /// </summary>
    private static async Task SendAsync(HttpContext context)
    {
        if (context.Response.ContentLength is not (>= LargeResponse and var length))
            return;
        var unread = context.Features.Get<UnreadResponse>();
        unread?.Begin((int)length);
        try
        {
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
        finally
        {
            unread?.End((int)length);
        }
    }

    private async Task RespondAsync(HttpContext context, RequestBody body)
    {
        var started = telemetry.Start();
        var reviewer = new AdmissionReviewer(rules.Current);
        if (!TryRead(reviewer, body, out var review, out var error))
        {
            await RejectAsync(context, StatusCodes.Status400BadRequest, error);
            return;
        }
        using var activity = AdmissionLog.StartActivity(context.Request.Headers);
        var result = PodAdmission.Decide(reviewer, review, activity?.Context ?? default);
        if (admission.DelaysResponse(result))
            result = result.With(await WaitAsync(context, result));
        result = admission.Complete(reviewer, review, result);
        Write(context.Response, reviewer, review, result.Decision);
        telemetry.Responded(review, result.Decision, reviewer.Rules, started, activity);
        admission.AfterResponse(result);
    }

    private async Task<PodDecision> WaitAsync(HttpContext context, AdmissionResult result)
    {
        var wait = context.Features.Get<ReviewWait>();
        wait?.Begin();
        try
        {
            return await admission.BeforeResponseAsync(result, context.RequestAborted);
        }
        finally
        {
            wait?.End();
        }
    }

    /// <summary>Releases the body at once, since what follows may wait.</summary>
    private static bool TryRead(
        AdmissionReviewer reviewer,
        RequestBody body,
        [NotNullWhen(true)] out AdmissionReview? review,
        [NotNullWhen(false)] out string? error
    )
    {
        using (body)
            return reviewer.TryRead(body.Content, out review, out error);
    }

    private static void Write(HttpResponse response, AdmissionReviewer reviewer, AdmissionReview review, PodDecision decision)
    {
        using var content = new Utf8JsonBuffer();
        reviewer.Write(content, review, decision);
        response.ContentType = "application/json";
        response.ContentLength = content.Written.Length;
        response.BodyWriter.Write(content.Written);
    }

    private async Task RejectAsync(HttpContext context, int status, string reason)
    {
        telemetry.Rejected(status, reason);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(reason + "\n", context.RequestAborted);
    }

    private static bool IsJson(string? contentType)
    {
        var mediaType = contentType.AsSpan();
        var end = mediaType.IndexOf(';');
        return (end < 0 ? mediaType : mediaType[..end]).Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase);
    }
}
