using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// The secrets that a request was sent with, including those of its repetitions, or all requests of a client. Each text of a server is
/// shown through here, since a server may echo them in any header and body.
/// </summary>
internal sealed class SentSecrets
{
    private const string Mask = "***";

    /// <summary>Shorter texts occur in many messages and are not real secrets.</summary>
    private const int Shortest = 4;

    /// <summary>Tokens change during a long copy.</summary>
    private const int MaxSecrets = 16;

    /// <summary>Longer ones are tokens: no server encodes them, and their forms would fill the memory.</summary>
    private const int MaxEncoded = 4096;

    private readonly Lock _gate = new();
    private readonly List<string> _secrets = [];
    private readonly IReadOnlyList<string> _ofBody;
    private IReadOnlyList<string>? _forms;

    /// <param name="ofBody">Secrets in the request's body.</param>
    public SentSecrets(params IReadOnlyList<string> ofBody) => _ofBody = ofBody;

    /// <summary>Adds a header that is sent; nothing for null.</summary>
    public void Add(AuthenticationHeaderValue? authorization)
    {
        if (authorization?.Parameter is not { } parameter)
            return;
        Add(parameter);
        if (authorization.Scheme == "Basic")
        {
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(parameter));
            Add(pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        }
    }

    /// <summary>Adds those of a request.</summary>
    public void Add(SentSecrets ofRequest)
    {
        foreach (var secret in ofRequest.Copy())
            Add(secret);
    }

    /// <summary>Adds a secret that is sent, or that gets what is sent.</summary>
    public void Add(string secret)
    {
        lock (_gate)
            if (!_secrets.Contains(secret))
            {
                if (_secrets.Count == MaxSecrets)
                    _secrets.RemoveAt(0);
                _secrets.Add(secret);
                _forms = null;
            }
    }

    /// <summary>True if a text has one of the secrets.</summary>
    public bool IsIn(string text) => Find(text).Any();

    /// <summary>A text of a server on one line of limited length, without the secrets.</summary>
    public string Show(string text, int maxLength)
    {
        // Before truncation, or part of a secret could remain. Without regard to case, since host names lose theirs.
        text = Remove(text);
        var line = string.Concat(text.Take(maxLength).Select(character => char.IsControl(character) ? ' ' : character));
        return text.Length > maxLength ? line + "…" : line;
    }

    /// <summary>
    /// The origin of a URL that a server sent as this text. It is left out if the text has a secret, of which the origin may be a part.
    /// </summary>
    public string ShowOrigin(string? text, Uri address) =>
        text is not null && IsIn(text) ? Mask : $"{address.Scheme}://{address.Authority}";

    private string Remove(string text)
    {
        var shown = new StringBuilder();
        var end = 0;
        // In the order of their starts; what overlaps is one.
        foreach (var (from, to) in Find(text).Order())
        {
            if (from >= end)
                shown.Append(text, end, from - end).Append(Mask);
            end = Math.Max(end, to);
        }
        return shown.Append(text, end, text.Length - end).ToString();
    }

    /// <summary>Where the secrets are, however they are escaped.</summary>
    private IEnumerable<(int From, int To)> Find(string text)
    {
        var forms = Forms();
        if (forms.Count == 0)
            yield break;
        foreach (var level in UnescapedText.LevelsOf(text))
        foreach (var form in forms)
            for (
                var at = level.Text.IndexOf(form, StringComparison.OrdinalIgnoreCase);
                at >= 0;
                at = level.Text.IndexOf(form, at + form.Length, StringComparison.OrdinalIgnoreCase)
            )
                yield return (level.StartOf(at), level.StartOf(at + form.Length));
    }

    /// <summary>The forms in which a server may echo the secrets, at all levels of escapes that they have themselves.</summary>
    private IReadOnlyList<string> Forms()
    {
        lock (_gate)
            return _forms ??= [
                .. _secrets
                    .Concat(_ofBody)
                    .Where(secret => secret.Length >= Shortest)
                    .SelectMany(FormsOf)
                    .Where(form => form.Length >= Shortest)
                    .Distinct(StringComparer.OrdinalIgnoreCase),
            ];
    }

    private static IEnumerable<string> FormsOf(string secret)
    {
        // URLs lose the padding of Base64 easily, and forms have a plus for a space.
        IEnumerable<string> forms = [secret, secret.TrimEnd('='), Uri.EscapeDataString(secret), WebUtility.UrlEncode(secret)];
        forms = forms.SelectMany(form => UnescapedText.LevelsOf(form).Select(level => level.Text));
        if (secret.Length > MaxEncoded)
            return forms;
        var bytes = Encoding.UTF8.GetBytes(secret);
        var base64 = Convert.ToBase64String(bytes);
        return forms.Concat([base64, base64.TrimEnd('='), Base64Url.EncodeToString(bytes), Convert.ToHexString(bytes)]);
    }

    private string[] Copy()
    {
        lock (_gate)
            return [.. _secrets];
    }
}
