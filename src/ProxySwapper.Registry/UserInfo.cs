using System.Buffers;
using System.Net;
using System.Text;

namespace ProxySwapper.Registry;

/// <summary>
/// The user and password of an address (<see href="https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1"/>). Messages that repeat what
/// somebody wrote are shown through here, since an address that is not valid where it was written may have a password.
/// </summary>
public static class UserInfo
{
    private const string Mask = "***";
    private const string SchemeEnd = "://";

    private static readonly SearchValues<char> AfterAuthority = SearchValues.Create("/?#'\"\r\n");

    /// <summary>
    /// A text with <c>***</c> for the user and password of each address: <c>http://***@host</c>, also without a scheme. Digests of images
    /// stay, also that of <c>nginx:1.27@sha256:…</c>.
    /// </summary>
    public static string Hide(string text)
    {
        if (!text.Contains('@', StringComparison.Ordinal))
            return text;
        text = HideWithSpaces(text);
        var shown = new StringBuilder(text.Length);
        for (var start = 0; start < text.Length; )
        {
            // One scan of each word and not a regular expression, which would be slow for a hostile text.
            var end = start + 1;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
                end++;
            Append(shown, text.AsSpan(start, end - start));
            start = end;
        }
        return shown.ToString();
    }

    /// <summary>An address without user and password.</summary>
    public static Uri Remove(Uri address) =>
        address.UserInfo.Length == 0 ? address : new UriBuilder(address) { UserName = "", Password = "" }.Uri;

    /// <summary>The user and password of an address; null if it has none.</summary>
    public static NetworkCredential? CredentialOf(Uri address)
    {
        var parts = address.UserInfo.Split(':', 2);
        return parts[0].Length == 0
            ? null
            : new(Uri.UnescapeDataString(parts[0]), Uri.UnescapeDataString(parts.Length > 1 ? parts[1] : ""));
    }

    /// <summary>The same for passwords with white space, up to the end of the host's part of an address.</summary>
    private static string HideWithSpaces(string text)
    {
        for (var from = 0; text.IndexOf(SchemeEnd, from, StringComparison.Ordinal) is >= 0 and var scheme; )
        {
            from = scheme + SchemeEnd.Length;
            var end = text.AsSpan(from).IndexOfAny(AfterAuthority);
            var authority = end < 0 ? text.AsSpan(from) : text.AsSpan(from, end);
            var at = LastAt(authority);
            if (at >= 0 && authority[..at].ToString().Any(char.IsWhiteSpace))
                text = $"{text[..from]}{Mask}{text[(from + at)..]}";
        }
        return text;
    }

    private static void Append(StringBuilder shown, ReadOnlySpan<char> word)
    {
        var at = LastAt(word);
        var before = word[..Math.Max(at, 0)];
        if (before.IndexOf(SchemeEnd) is >= 0 and var scheme)
            shown.Append(before[..(scheme + SchemeEnd.Length)]).Append(Mask).Append(word[at..]);
        else if (before.Contains(':'))
            shown.Append(before[..LengthOfOpening(before)]).Append(Mask).Append(word[at..]);
        else
            shown.Append(word);
    }

    /// <summary>The white space, quotation marks and brackets before a name.</summary>
    private static int LengthOfOpening(ReadOnlySpan<char> word)
    {
        var length = 0;
        while (!char.IsLetterOrDigit(word[length]) && word[length] != ':')
            length++;
        return length;
    }

    /// <summary>The last at sign but those of digests, since an unescaped password may have others; negative if there is none.</summary>
    private static int LastAt(ReadOnlySpan<char> text)
    {
        var at = text.LastIndexOf('@');
        while (at >= 0 && IsDigest(text[(at + 1)..]))
            at = text[..at].LastIndexOf('@');
        return at;
    }

    private static bool IsDigest(ReadOnlySpan<char> text) =>
        text is ['s', 'h', 'a', '2' or '3' or '5', >= '0' and <= '9', >= '0' and <= '9', ':', ..];
}
