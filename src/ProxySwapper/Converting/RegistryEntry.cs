using System.Text.Json.Nodes;
using ProxySwapper.Registry;

namespace ProxySwapper.Converting;

/// <summary>An entry of <c>registries</c>. For a login in the other tool's file, it names variables, never the secret itself.</summary>
internal sealed class RegistryEntry(RegistryName name)
{
    private readonly JsonObject _settings = new() { ["host"] = name.Text };
    private ForeignLogin? _login;

    public bool HasSettings => _settings.Count > 1;

    public string UserAdvice => $"is read from the variable {Variable("USER")}: set it";

    public string PasswordAdvice =>
        $"is read from the variable {Variable("PASSWORD")}: set it from a Secret; the password in the file is not copied";

    /// <summary>Sets a key; a different value of an earlier entry for the same registry is kept, with a note.</summary>
    /// <param name="section">Where the other tool's file has the value.</param>
    /// <param name="key">The key there.</param>
    /// <param name="setting">The key of the entry.</param>
    /// <param name="value">Its value. It is printed, so never a secret.</param>
    public void Set(ForeignSection section, string key, string setting, JsonNode value)
    {
        if (!_settings.TryGetPropertyValue(setting, out var first))
            _settings[setting] = value;
        else if (!JsonNode.DeepEquals(first, value))
            section.Report(
                key,
                $"an earlier entry for the same registry, {name}, has {setting}: {first!.ToJsonString()}, which is kept; "
                    + $"{setting}: {value.ToJsonString()} is not converted"
            );
    }

    /// <summary>Sets how to log in; a different login of an earlier entry for the same registry is kept, with a note.</summary>
    /// <param name="section">Where the other tool's file has the login.</param>
    /// <param name="key">The key there.</param>
    /// <param name="login">The login.</param>
    /// <param name="usernameFrom">Where the username of a basic login is read from, if not from a variable named after the host.</param>
    /// <param name="passwordFrom">The same for its password.</param>
    /// <returns>Whether this login is used.</returns>
    public bool TrySetLogin(
        ForeignSection section,
        string key,
        ForeignLogin login,
        JsonObject? usernameFrom = null,
        JsonObject? passwordFrom = null
    )
    {
        if (_login is { } first)
        {
            if (first == login)
                return true;
            section.Report(
                key,
                $"an earlier entry for the same registry, {name}, has a different login, which is kept; this login is not converted"
            );
            return false;
        }
        _login = login;
        _settings["auth"] = login.Auth;
        if (login.Auth == ForeignLogin.Basic)
        {
            _settings["usernameFrom"] = usernameFrom ?? new JsonObject { ["env"] = Variable("USER") };
            _settings["passwordFrom"] = passwordFrom ?? new JsonObject { ["env"] = Variable("PASSWORD") };
        }
        return true;
    }

    public JsonNode ToJson() => _settings.DeepClone();

    private string Variable(string what)
    {
        var host = name.Text.Select(character => char.IsAsciiLetterOrDigit(character) ? char.ToUpperInvariant(character) : '_');
        return $"{string.Concat(host)}_{what}";
    }
}

/// <summary>How to log in to a registry, as the other tool's file says it: two logins that are equal need one entry.</summary>
/// <param name="Auth">The value of <c>auth</c>.</param>
/// <param name="User">The username or the helper as written in the file, only to compare it.</param>
/// <param name="Password">The password as written in the file, only to compare it.</param>
internal sealed record ForeignLogin(string Auth, string? User = null, string? Password = null)
{
    public const string Basic = "basic";

    /// <summary>Without the secret.</summary>
    public override string ToString() => Auth;
}
