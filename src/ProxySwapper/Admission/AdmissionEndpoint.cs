using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Admission.Json;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>
/// <c>POST /mutate</c>: (1) reads the body within its limits, (2) reads the review, (3) decides, (4) awaits what the policies require, by
/// default nothing, (5) writes the response, (6) notifies population.
/// </summary>
internal sealed class AdmissionEndpoint(
    ConfigurationMonitor rules,
    RequestBodyReader bodies,
    IAdmissionObserver population,
    DryRunImages dryRuns,
    AdmissionMetrics metrics,
    AdmissionLog log,
    TimeProvider time
)
{
    public const string Path = "/mutate";

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
            await RespondAsync(context, body);
    }

    private async Task RespondAsync(HttpContext context, RequestBody body)
    {
        var started = time.GetTimestamp();
        var reviewer = new AdmissionReviewer(rules.Current);
        if (!TryRead(reviewer, body, out var review, out var error))
        {
            await RejectAsync(context, StatusCodes.Status400BadRequest, error);
            return;
        }
        using var activity = AdmissionLog.StartActivity(context.Request.Headers);
        var decision = reviewer.Decide(review);
        AdmittedPod? pod = null;
        if (!decision.Images.IsEmpty)
            pod = AdmittedPod.Create(review, decision, reviewer.Rules, activity?.Context ?? default);
        if (pod is { } admitted && population.DelaysResponse(admitted))
        {
            decision = await WaitAsync(context, admitted, decision);
            pod = admitted with { Images = decision.Images };
        }
        if (pod is { } decided)
        {
            decision = population.Mark(review, decided, decision);
            pod = decided with { Images = decision.Images };
        }
        decision = reviewer.Settle(decision);
        Write(context.Response, reviewer, review, decision);
        metrics.Responded(decision, reviewer.Rules, time.GetElapsedTime(started));
        AdmissionLog.Describe(activity, review, decision);
        log.Responded(review, decision);
        if (decision.Outcome == AdmissionOutcome.DryRun)
            dryRuns.Add(review, decision);
        if (pod is { IsDryRun: false } answered)
            population.AfterResponse(answered);
    }

    private async Task<PodDecision> WaitAsync(HttpContext context, AdmittedPod pod, PodDecision decision)
    {
        var wait = context.Features.Get<ReviewWait>();
        wait?.Begin();
        try
        {
            return await population.BeforeResponseAsync(pod, decision, context.RequestAborted);
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
        metrics.Refused(status);
        log.Refused(status, reason);
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
