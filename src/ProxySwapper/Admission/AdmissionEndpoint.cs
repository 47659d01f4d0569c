using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using ProxySwapper.Admission.Json;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>
/// <c>POST /mutate</c>: (1) reads the body within its limits, (2) reads the review, (3) decides, (4) awaits what the policies want, which
/// by default is nothing, (5) writes patch and answer, (6) tells population.
/// </summary>
internal sealed partial class AdmissionEndpoint(
    ConfigurationMonitor rules,
    IAdmissionObserver population,
    AdmissionMetrics metrics,
    TimeProvider time,
    ILogger<AdmissionEndpoint> logger
)
{
    public const int MaximumBodySize = 8 * 1024 * 1024;

    /// <summary>How long a body may take to arrive; API servers send it at once.</summary>
    public static readonly TimeSpan BodyTimeout = TimeSpan.FromSeconds(10);

    /// <summary>What bodies that are waited for may hold together: eight of the largest, thousands of the usual.</summary>
    private const long MaximumAwaitedSize = 8L * MaximumBodySize;

    /// <summary>Whoever may create Pods may not fill the log with one.</summary>
    private const int MaximumLoggedWarnings = 10;

    private static readonly ActivitySource Activities = new("ProxySwapper");

    private readonly RequestBodyLimiter _awaited = new(MaximumAwaitedSize);

    public async Task AnswerAsync(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Post;
            await RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "reviews are posted");
            return;
        }
        if (context.Request.ContentType is not { } type || !IsJson(type))
        {
            await RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, "the content type must be application/json");
            return;
        }
        var body = context.Request.BodyReader;
        var (whole, status, fault) = await ReadAsync(context.Request, body);
        if (fault is not null)
        {
            await RefuseAsync(context, status, fault);
            return;
        }
        await AnswerAsync(context, body, whole);
    }

    private async Task AnswerAsync(HttpContext context, PipeReader body, ReadOnlySequence<byte> whole)
    {
        var started = time.GetTimestamp();
        var ruleSet = rules.Current;
        var isReview = AdmissionReviewReader.TryRead(whole, ruleSet.Options.PatchLabel.Key, out var review, out var fault);
        body.AdvanceTo(whole.End);
        if (!isReview)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, fault!);
            return;
        }
        using var activity = StartActivity(context.Request.Headers);
        var decision = PodAdmission.Decide(review!, ruleSet);
        AdmittedPod? pod = null;
        if (!decision.Images.IsEmpty && population is not NoAdmissionObserver)
            pod = AdmittedPod.Create(review!, decision, activity?.Context ?? default);
        if (pod is { } admitted && population.DelaysResponse)
        {
            decision = await population.BeforeResponseAsync(admitted, decision, context.RequestAborted);
            pod = AdmittedPod.Create(review!, decision, admitted.Activity);
        }
        Write(context.Response, review!, decision, ruleSet);
        metrics.Answered(decision, ruleSet, time.GetElapsedTime(started));
        Describe(activity, review!, decision);
        await context.Response.BodyWriter.FlushAsync();
        LogDecisions(review!, decision);
        if (pod is { IsDryRun: false } answered)
            population.AfterResponse(answered);
    }

    /// <summary>The answer for a review, without HTTP.</summary>
    internal static void Write(Utf8JsonBuffer output, AdmissionReview review, PodDecision decision, RuleSet ruleSet)
    {
        if (decision.Outcome != AdmissionOutcome.Patched)
        {
            AdmissionResponseWriter.Write(output, review, [], decision);
            return;
        }
        using var patch = new Utf8JsonBuffer();
        new JsonPatchWriter(patch, review.Object!, decision, ruleSet.Options.PatchLabel).Write(
            withMetadata: review.SubResource.Length == 0
        );
        AdmissionResponseWriter.Write(output, review, patch.Written, decision);
    }

    private static void Write(HttpResponse response, AdmissionReview review, PodDecision decision, RuleSet ruleSet)
    {
        response.ContentType = "application/json";
        using var answer = new Utf8JsonBuffer();
        Write(answer, review, decision, ruleSet);
        response.ContentLength = answer.Written.Length;
        response.BodyWriter.Write(answer.Written);
    }

    private async ValueTask<(ReadOnlySequence<byte> Body, int Status, string? Fault)> ReadAsync(HttpRequest request, PipeReader body)
    {
        if (request.ContentLength > MaximumBodySize)
            return TooLarge();
        try
        {
            // Nearly every body is there already: only one that is awaited needs a timer.
            while (true)
            {
                var reading = body.ReadAsync();
                if (!reading.IsCompletedSuccessfully)
                    return await AwaitAsync(body, reading);
                if (IsWhole(body, reading.Result) is { } whole)
                    return whole;
            }
        }
        catch (BadHttpRequestException exception)
        {
            return (default, exception.StatusCode, exception.Message);
        }
    }

    private async ValueTask<(ReadOnlySequence<byte> Body, int Status, string? Fault)> AwaitAsync(
        PipeReader body,
        ValueTask<ReadResult> reading
    )
    {
        var isLate = false;
        await using var timer = time.CreateTimer(
            _ =>
            {
                isLate = true;
                body.CancelPendingRead();
            },
            null,
            BodyTimeout,
            Timeout.InfiniteTimeSpan
        );
        var held = 0L;
        try
        {
            while (true)
            {
                var result = await reading;
                if (isLate)
                    return (default, StatusCodes.Status408RequestTimeout, $"the body took longer than {BodyTimeout.TotalSeconds} s");
                var arrived = result.Buffer.Length - held;
                if (!_awaited.TryTake(arrived))
                    return (default, StatusCodes.Status503ServiceUnavailable, "too many bodies are under way");
                held += arrived;
                // A read that is cancelled by the host, which stops, just goes on: what is under way is answered.
                if (IsWhole(body, result) is { } whole)
                    return whole;
                reading = body.ReadAsync();
            }
        }
        finally
        {
            _awaited.Return(held);
        }
    }

    /// <summary>The whole body, or why it will not do; null while it goes on.</summary>
    private static (ReadOnlySequence<byte> Body, int Status, string? Fault)? IsWhole(PipeReader body, ReadResult result)
    {
        if (result.Buffer.Length > MaximumBodySize)
            return TooLarge();
        if (result.IsCompleted)
            return (result.Buffer, 0, null);
        body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        return null;
    }

    private static (ReadOnlySequence<byte> Body, int Status, string? Fault) TooLarge() =>
        (default, StatusCodes.Status413PayloadTooLarge, $"the body is larger than {MaximumBodySize / (1024 * 1024)} MiB");

    private async Task RefuseAsync(HttpContext context, int status, string reason)
    {
        metrics.Refused(status);
        Log.Refused(logger, status, reason);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(reason + "\n", context.RequestAborted);
    }

    private static bool IsJson(string contentType)
    {
        var end = contentType.IndexOf(';');
        return (end < 0 ? contentType.AsSpan() : contentType.AsSpan(0, end))
            .Trim()
            .Equals("application/json", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A span below the API server's own, where that one traces.</summary>
    private static Activity? StartActivity(IHeaderDictionary headers)
    {
        if (!Activities.HasListeners())
            return null;
        _ = ActivityContext.TryParse(headers.TraceParent, headers.TraceState, isRemote: true, out var parent);
        return Activities.StartActivity("admission", ActivityKind.Server, parent);
    }

    private static void Describe(Activity? activity, AdmissionReview review, PodDecision decision)
    {
        if (activity is null)
            return;
        activity.SetTag("k8s.namespace.name", review.Namespace);
        activity.SetTag("k8s.pod.name", review.Object?.Name is { Length: > 0 } name ? name : review.Object?.GenerateName);
        activity.SetTag("proxyswapper.result", decision.Outcome.ToString());
        activity.SetTag("proxyswapper.images", decision.Images.Select(image => image.Decision.Image).ToArray());
        activity.SetTag("proxyswapper.targets", decision.Images.Select(image => image.Decision.Target?.ToString() ?? "").ToArray());
    }

    private void LogDecisions(AdmissionReview review, PodDecision decision)
    {
        var isDebug = logger.IsEnabled(LogLevel.Debug);
        var warnings = 0;
        foreach (var (_, image) in decision.Images)
        {
            if (image.Warning is { } warning && ++warnings <= MaximumLoggedWarnings)
                Log.Warned(logger, review.Namespace, warning);
            if (isDebug)
                Log.Decided(logger, review.Uid, review.Namespace, image.Image, image.Target?.ToString(), image.Reason, image.Rule);
        }
        if (warnings > MaximumLoggedWarnings)
            Log.WarnedMore(logger, review.Namespace, warnings - MaximumLoggedWarnings);
        if (isDebug && decision.Outcome == AdmissionOutcome.Patched)
            Log.Patched(
                logger,
                review.Namespace,
                review.Object!.Name.Length > 0 ? review.Object.Name : review.Object.GenerateName,
                decision.Images.Count(image => image.Decision.IsRewritten)
            );
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "Pod {Namespace}/{Pod}: {Count} images rewritten")]
        public static partial void Patched(ILogger logger, string @namespace, string pod, int count);

        [LoggerMessage(2, LogLevel.Debug, "Review {Uid} in {Namespace}: {Image} -> {Target} ({Reason}, {Rule})")]
        public static partial void Decided(
            ILogger logger,
            string uid,
            string @namespace,
            string image,
            string? target,
            DecisionReason reason,
            string? rule
        );

        [LoggerMessage(3, LogLevel.Warning, "In {Namespace}: {Warning}")]
        public static partial void Warned(ILogger logger, string @namespace, string warning);

        [LoggerMessage(5, LogLevel.Warning, "In {Namespace}: {Count} more warnings for the same Pod")]
        public static partial void WarnedMore(ILogger logger, string @namespace, int count);

        [LoggerMessage(4, LogLevel.Warning, "Request refused with {Status}: {Reason}")]
        public static partial void Refused(ILogger logger, int status, string reason);
    }
}
