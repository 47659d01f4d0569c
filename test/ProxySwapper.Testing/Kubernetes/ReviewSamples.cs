using System.Text;
using System.Text.Json.Nodes;

namespace ProxySwapper.Testing.Kubernetes;

/// <summary>Reviews in the form that API servers send.</summary>
internal static class ReviewSamples
{
    /// <summary>The creation of a Pod with these images.</summary>
    public static string Create(params string[] images) => Review(Pod(images)).ToJsonString();

    /// <summary>
    /// The creation of a realistic Pod (two containers with variables, probes, mounts and security context, an init container,
    /// annotations and managed fields), padded to a size by more variables and managed fields.
    /// </summary>
    /// <param name="size">The review's size in bytes, reached within 1 %.</param>
    public static string OfSize(int size)
    {
        var pod = Pod("docker.io/library/nginx:1.27.3", "quay.io/prometheus/node-exporter:v1.8.2");
        pod["metadata"]!["generateName"] = "web-7d4b9c6f5d-";
        pod["metadata"]!["labels"] = JsonNode.Parse(
            """{"app.kubernetes.io/name":"web","app.kubernetes.io/part-of":"shop","pod-template-hash":"7d4b9c6f5d"}"""
        );
        pod["metadata"]!["annotations"] = JsonNode.Parse(
            """{"prometheus.io/scrape":"true","checksum/config":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}"""
        );
        pod["metadata"]!["ownerReferences"] = JsonNode.Parse(
            """[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-7d4b9c6f5d","""
                + """ "uid":"0c8f0d6e-5a1c-4a43-9c0e-5b1c6f3d2a11","controller":true,"blockOwnerDeletion":true}]"""
        );
        var spec = pod["spec"]!;
        spec["initContainers"] = JsonNode.Parse(
            """[{"name":"migrate","image":"registry.k8s.io/busybox:1.36","command":["sh","-c","true"],"resources":{}}]"""
        );
        spec["volumes"] = JsonNode.Parse(
            """[{"name":"config","configMap":{"name":"web","defaultMode":420}},{"name":"tmp","emptyDir":{}}]"""
        );
        foreach (var container in spec["containers"]!.AsArray())
        {
            container!["env"] = new JsonArray();
            container["ports"] = JsonNode.Parse("""[{"name":"http","containerPort":8080,"protocol":"TCP"}]""");
            container["resources"] = JsonNode.Parse("""{"limits":{"memory":"256Mi"},"requests":{"cpu":"100m","memory":"128Mi"}}""");
            container["readinessProbe"] = JsonNode.Parse(
                """{"httpGet":{"path":"/ready","port":"http","scheme":"HTTP"},"periodSeconds":5,"timeoutSeconds":1,"failureThreshold":3}"""
            );
            container["securityContext"] = JsonNode.Parse(
                """{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"readOnlyRootFilesystem":true,"runAsNonRoot":true}"""
            );
            container["volumeMounts"] = JsonNode.Parse(
                """[{"name":"config","mountPath":"/etc/web","readOnly":true},{"name":"tmp","mountPath":"/tmp"}]"""
            );
        }
        var fields = new JsonObject();
        pod["metadata"]!["managedFields"] = new JsonArray(
            new JsonObject
            {
                ["manager"] = "kube-controller-manager",
                ["operation"] = "Update",
                ["apiVersion"] = "v1",
                ["fieldsV1"] = fields,
            }
        );
        var review = Review(pod);
        var variables = spec["containers"]![0]!["env"]!.AsArray();
        // Each additional variable with its managed field adds the same size.
        var (empty, number) = (Encoding.UTF8.GetByteCount(review.ToJsonString()), 0);
        Pad();
        var step = Encoding.UTF8.GetByteCount(review.ToJsonString()) - empty;
        while (number < (size - empty) / step)
            Pad();
        return review.ToJsonString();

        void Pad()
        {
            var name = $"SETTING_{number++:D5}";
            variables.Add(new JsonObject { ["name"] = name, ["value"] = $"the value of {name} with \"quotes\"" });
            fields[$"f:{name}"] = JsonNode.Parse("""{".":{},"f:name":{},"f:value":{}}""");
        }
    }

    private static JsonObject Pod(params string[] images) =>
        new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = "web", ["namespace"] = "shop" },
            ["spec"] = new JsonObject
            {
                ["containers"] = new JsonArray([
                    .. images.Select(
                        (image, index) =>
                            new JsonObject
                            {
                                ["name"] = $"c{index}",
                                ["image"] = image,
                                ["imagePullPolicy"] = "IfNotPresent",
                            }
                    ),
                ]),
            },
        };

    private static JsonObject Review(JsonObject pod) =>
        new()
        {
            ["kind"] = "AdmissionReview",
            ["apiVersion"] = "admission.k8s.io/v1",
            ["request"] = new JsonObject
            {
                ["uid"] = "705ab4f5-6393-11e8-b7cc-42010a800002",
                ["kind"] = JsonNode.Parse("""{"group":"","version":"v1","kind":"Pod"}"""),
                ["resource"] = JsonNode.Parse("""{"group":"","version":"v1","resource":"pods"}"""),
                ["namespace"] = "shop",
                ["operation"] = "CREATE",
                ["userInfo"] = JsonNode.Parse(
                    """{"username":"system:serviceaccount:kube-system:replicaset-controller","groups":["system:authenticated"]}"""
                ),
                ["object"] = pod,
                ["oldObject"] = null,
                ["dryRun"] = false,
                ["options"] = JsonNode.Parse("""{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}"""),
            },
        };
}
