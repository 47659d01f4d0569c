namespace ProxySwapper.Commands.Output;

/// <summary>One line of progress on standard error if that is a terminal; nothing in a pipe.</summary>
internal sealed class ProgressLine
{
    /// <summary>Updating more often than this makes no visible difference.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly bool _isShown = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
    private readonly Lock _gate = new();
    private long _shownAt;
    private int _length;

    public void Show(string text)
    {
        if (!_isShown)
            return;
        lock (_gate)
        {
            if (_shownAt != 0 && TimeProvider.System.GetElapsedTime(_shownAt) < Interval)
                return;
            _shownAt = TimeProvider.System.GetTimestamp();
            Console.Error.Write($"\r{text.PadRight(_length)}");
            _length = text.Length;
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            if (_length > 0)
                Console.Error.Write($"\r{new string(' ', _length)}\r");
            _length = 0;
        }
    }
}
