using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace ProxySwapper.Tests.Kubernetes;

/// <summary>The body of a response that a test writes piece by piece, until it ends or aborts it.</summary>
internal sealed class ScriptedStream
{
    private readonly Channel<string?> _pieces = Channel.CreateUnbounded<string?>();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the client has disconnected or the response has ended.</summary>
    public Task Closed => _closed.Task;

    public ScriptedStream Write(string text)
    {
        _pieces.Writer.TryWrite(text);
        return this;
    }

    /// <summary>Writes an event of a watch.</summary>
    public ScriptedStream Event(string type, string name, string version) =>
        Write($"{{\"type\":\"{type}\",\"object\":{{\"metadata\":{{\"name\":\"{name}\",\"resourceVersion\":\"{version}\"}}}}}}\n");

    /// <summary>Writes an error event of a watch.</summary>
    public ScriptedStream Error(int code, string message) =>
        Write($"{{\"type\":\"ERROR\",\"object\":{{\"kind\":\"Status\",\"code\":{code},\"message\":\"{message}\"}}}}\n");

    public void End() => _pieces.Writer.TryComplete();

    public void BreakOff()
    {
        _pieces.Writer.TryWrite(null);
        End();
    }

    public async Task RunAsync(HttpContext context)
    {
        try
        {
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await foreach (var piece in _pieces.Reader.ReadAllAsync(context.RequestAborted))
            {
                if (piece is null)
                {
                    context.Abort();
                    return;
                }
                await context.Response.WriteAsync(piece, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The client disconnected.
        }
        finally
        {
            _closed.TrySetResult();
        }
    }
}
