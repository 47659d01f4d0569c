using System.Text.Json;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.CredentialHelper;

/// <summary>
/// A credential in the form that Docker's credential helpers print
/// (<see href="https://github.com/docker/docker-credential-helpers#development"/>).
/// </summary>
internal static class CredentialJson
{
    /// <param name="json">Where it is written.</param>
    /// <param name="server">What was asked for, as it was asked.</param>
    /// <param name="credential">The credential.</param>
    /// <param name="tokenUser">The user under which whoever asked takes an identity token.</param>
    public static void Write(Utf8JsonWriter json, string server, RegistryCredential credential, string tokenUser)
    {
        json.WriteStartObject();
        json.WriteString("ServerURL", server);
        json.WriteString("Username", credential.IdentityToken is null ? credential.Username : tokenUser);
        json.WriteString("Secret", credential.IdentityToken ?? credential.Password);
        json.WriteEndObject();
    }
}
