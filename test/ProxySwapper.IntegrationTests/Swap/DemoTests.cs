using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Swap;

[TestFixture]
internal sealed class DemoTests
{
    [Test]
    public async Task The_demo_shows_every_sample_and_ends_with_an_image_downstream()
    {
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(["demo"]);
        Assert.Multiple(() =>
        {
            Assert.That(exitCode, Is.Zero, output + error);
            Assert.That(output, Does.Contain("  nginx → registry.internal.example.com/library/nginx:latest\n"));
            Assert.That(output, Does.Contain("  quay.io/prometheus/node-exporter:v1.7.0 stays\n"));
            Assert.That(output, Does.Contain("replace /spec/volumes/0/image/reference \"registry.internal.example.com/team/model:v3\""));
            Assert.That(output, Does.Contain("warning: image 'Nginx:1.25' left unchanged"));
            Assert.That(output, Does.Contain("8 Pods admitted, 9 images rewritten"));
            Assert.That(output, Does.Contain("pulled for linux/arm64: ").And.Contain(", the upstream digest.\n"));
            Assert.That(output, Does.Contain("SchedulingGated").And.Contain("/mirror/team/cart:1.0\n"));
            Assert.That(
                output,
                Does.Match(
                    "Pod cart: .* SchedulingGated\n"
                        + "  copying [0-9.:]+/team/cart:1.0 while the Pod waits\n"
                        + "  copied to [0-9.:]+/mirror/team/cart:1.0: [1-9][0-9]* blobs\n"
                        + "  released after [0-9]+ ms with [0-9.:]+/mirror/team/cart:1.0\n"
                )
            );
            Assert.That(output, Does.Match("released after [0-9]+ ms with [0-9.:]+/team/lost:1.0\n"));
            Assert.That(output, Does.Contain("proxyswapper.io/left-original: "));
            Assert.That(output, Does.Not.Contain("\u001b"), "no colours in a pipe");
        });
    }
}
