using System.Text.Json;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.CredentialHelper;

/// <summary>
/// A credential in the format of Docker's credential helpers
/// (<see href="https://github.com/docker/docker-credential-helpers#development"/>).
/// </summary>
internal static class CredentialJson
{
    /// <param name="json">The writer.</param>
    /// <param name="server">The requested server, as requested.</param>
    /// <param name="credential">The credential.</param>
    /// <param name="tokenUser">The user name with which the caller accepts an identity token.</param>
    public static void Write(Utf8JsonWriter json, string server, RegistryCredential credential, string tokenUser)
    {
        json.WriteStartObject();
        json.WriteString("ServerURL", server);
        json.WriteString("Username", credential.IdentityToken is null ? credential.Username : tokenUser);
        json.WriteString("Secret", credential.IdentityToken ?? credential.Password);
        json.WriteEndObject();
    }
}
