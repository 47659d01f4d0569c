using ProxySwapper.Manifests;

namespace ProxySwapper.Tests.Manifests;

/// <summary>Images that an operator turns into Pods are named, so that none is lost silently.</summary>
[TestFixture]
internal sealed class CustomResourceImagesTests
{
    private const string Custom = "apiVersion: x.example/v1\nkind: X\n";
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [TestCase("kind: Prometheus\nspec: {image: quay.io/p/p}", "Prometheus (spec.image in line 2: not in a Pod template)")]
    [TestCase("apiVersion: x/v1\nkind: Foo\nspec: {image: redis}", "Foo (spec.image in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {operatorImageName: quay.io/c/d:1}", "X (spec.operatorImageName in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {sidecarImages: [a, b:1]}", "X (spec.sidecarImages in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {imageURL: 'docker://quay.io/a/b:1'}", "X (spec.imageURL in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {image_name: quay.io/a/b}", "X (spec.image_name in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {imageTag: 'quay.io/a/b:1'}", "X (spec.imageTag in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {proxy: {repository: b, tag: '1'}}", "X (spec.proxy.repository in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {container: 'quay.io/a/b:1'}", "X (spec.container in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {parts: ['localhost:5000/b@" + Digest + "']}", "X (spec.parts in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {image_name: redis}", "X (spec.image_name in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {IMAGE: redis}", "X (spec.IMAGE in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {sidecar-image: redis}", "X (spec.sidecar-image in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {appImageName: '{{ .Values.a }}'}", "X (spec.appImageName in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {registry: quay.io/a/b, tag: '1'}", "X (spec.registry in line 3: not in a Pod template)")]
    [TestCase(Custom + "spec: {registry: r.io, repository: a, Digest: d}", "X (spec.repository in line 3: not in a Pod template)")]
    [TestCase("apiVersion: v1\nkind: Foo\nspec: {image: redis}", "Foo (spec.image in line 3: not in a Pod template)")]
    [TestCase("apiVersion: apps/v1\nkind: Foo\nspec: {image: redis}", "Foo (spec.image in line 3: not in a Pod template)")]
    [TestCase("apiVersion: x.io/v1\nkind: FooList\nitems: [{spec: {image: a}}]", "Foo (spec.image in line 3: not in a Pod template)")]
    [TestCase("kind: FooList\nitems: [{spec: {image: a}}]", "Foo (spec.image in line 2: not in a Pod template)")]
    public void An_image_outside_of_Pods_is_named(string manifest, string unread) =>
        Assert.That(WorkloadReader.Read("m.yaml", manifest, "here").Unread, Is.EqualTo(new[] { unread }));

    [TestCase("imagePullPolicy: IfNotPresent")]
    [TestCase("imagePullPolicy: '{{ .Values.image.pullPolicy }}'")]
    [TestCase("imagePullSecrets: [{name: regcred}]")]
    [TestCase("registry: quay.io, insecure: true")]
    [TestCase("imagination: a")]
    [TestCase("imageType: debian")]
    [TestCase("imageFormat: image/png")]
    [TestCase("images: 3 GiB")]
    [TestCase("imageGCHighThresholdPercent: 85")]
    [TestCase("imagePath: /var/lib/images")]
    [TestCase("imageURL: https://example.com/logo.png")]
    [TestCase("container: web")]
    [TestCase("repository: https://github.com/a/b, revision: main")]
    [TestCase("server: db.example.com:5432")]
    [TestCase("path: example.com/a/b")]
    public void What_only_looks_like_an_image_is_not_named(string member) =>
        Assert.That(
            WorkloadReader.Read("m.yaml", $"{Custom}metadata: {{annotations: {{x: quay.io/a/b:1}}}}\nspec: {{{member}}}", "here").Unread,
            Is.Empty
        );
}
