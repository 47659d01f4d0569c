using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Aws;

namespace ProxySwapper.Tests.Registry.Clouds.Aws;

[TestFixture]
internal sealed class EcrHostTests
{
    [TestCase("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "eu-central-1", "https://api.ecr.eu-central-1.amazonaws.com/")]
    [TestCase("123456789012.dkr.ecr.eu-central-1.amazonaws.com:443", "eu-central-1", "https://api.ecr.eu-central-1.amazonaws.com/")]
    [TestCase("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "https://api.ecr.cn-north-1.amazonaws.com.cn/")]
    [TestCase("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "https://ecr-fips.us-gov-west-1.amazonaws.com/")]
    [TestCase("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "https://api.ecr.eusc-de-east-1.amazonaws.eu/")]
    [TestCase("123456789012.dkr-ecr.eu-central-1.on.aws", "eu-central-1", "https://ecr.eu-central-1.api.aws/")]
    [TestCase("123456789012.dkr-ecr-fips.us-east-1.on.aws", "us-east-1", "https://ecr-fips.us-east-1.api.aws/")]
    [TestCase(
        "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
        "cn-north-1",
        "https://ecr.cn-north-1.api.amazonwebservices.com.cn/"
    )]
    public void A_private_registrys_name_has_account_region_and_API(string name, string region, string api)
    {
        var host = EcrHost.Parse(RegistryName.Parse(name))!;
        Assert.That(
            (host.Account, host.Region, host.ApiEndpoint.AbsoluteUri, host.IsPublic),
            Is.EqualTo(("123456789012", region, api, false))
        );
    }

    [TestCase("public.ecr.aws")]
    [TestCase("ecr-public.aws.com")]
    public void The_public_registry_is_queried_in_us_east_1_alone(string name)
    {
        var host = EcrHost.Parse(RegistryName.Parse(name))!;
        Assert.That(
            (host.IsPublic, host.Region, host.ApiEndpoint.AbsoluteUri),
            Is.EqualTo((true, "us-east-1", "https://api.ecr-public.us-east-1.amazonaws.com/"))
        );
    }

    [TestCase("quay.io")]
    [TestCase("dkr.ecr.eu-central-1.amazonaws.com")]
    [TestCase("12345678901.dkr.ecr.eu-central-1.amazonaws.com")]
    [TestCase("123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example")]
    [TestCase("evil.123456789012.dkr.ecr.eu-central-1.amazonaws.com")]
    [TestCase("123456789012.dkr.ecr.eu-central-1.amazonaws.com:5000")]
    [TestCase("123456789012xdkr.ecr.eu-central-1.amazonaws.com")]
    [TestCase("public.ecr.aws.example")]
    public void Other_hosts_are_not_ECR(string name) => Assert.That(EcrHost.Parse(RegistryName.Parse(name)), Is.Null);

    [TestCase("eu-central-1", "https://api.ecr.eu-central-1.amazonaws.com/")]
    [TestCase("cn-north-1", "https://api.ecr.cn-north-1.amazonaws.com.cn/")]
    public void A_host_with_a_name_of_its_own_has_the_region_that_is_reported(string region, string api)
    {
        var host = EcrHost.Parse(RegistryName.Parse("images.example.com"), region)!;
        Assert.That((host.Account, host.Region, host.ApiEndpoint.AbsoluteUri), Is.EqualTo(("", region, api)));
    }

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("eu-west-1 ")]
    [TestCase("eu-west-1\n")]
    [TestCase("EU-WEST-1")]
    [TestCase("-")]
    [TestCase("[")]
    [TestCase("%")]
    [TestCase(":5")]
    [TestCase("eu-west-1/")]
    [TestCase("evil.example/")]
    [TestCase("u:p@evil.example/")]
    [TestCase("evil.example#")]
    [TestCase("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void No_region_leads_to_another_host_or_to_none(string region)
    {
        Assert.That(EcrHost.IsRegion(region), Is.False);
        Assert.That(EcrHost.Parse(RegistryName.Parse("images.example.com"), region), Is.Null);
    }

    [Test]
    public void A_host_whose_region_is_too_long_for_a_name_is_not_ECR()
    {
        var image = ImageReference.Parse($"123456789012.dkr.ecr.{new string('a', 64)}.amazonaws.com/x");
        Assert.That(EcrHost.Parse(image.Registry), Is.Null);
    }

    [Test]
    public void The_name_counts_more_than_what_is_reported() =>
        Assert.That(
            EcrHost.Parse(RegistryName.Parse("123456789012.dkr.ecr.eu-central-1.amazonaws.com"), "us-east-1")!.Region,
            Is.EqualTo("eu-central-1")
        );
}
