using System.Security.Cryptography;
using System.Text;

namespace ProxySwapper.Management;

/// <summary>
/// The source expression that allows one script or style of a page, and no other
/// (<see href="https://www.w3.org/TR/CSP3/#framework-directive-source-list">CSP Level 3, section 2.3.1</see>).
/// </summary>
internal static class InlineHash
{
    /// <param name="page">The page, with one such element that has no attributes.</param>
    /// <param name="element">Its name: <c>script</c> or <c>style</c>.</param>
    public static string Of(string page, string element)
    {
        var start = page.IndexOf($"<{element}>", StringComparison.Ordinal) + element.Length + 2;
        var content = page[start..page.IndexOf($"</{element}>", start, StringComparison.Ordinal)];
        return $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}";
    }
}
