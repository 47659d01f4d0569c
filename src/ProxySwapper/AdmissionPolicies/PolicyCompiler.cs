using ProxySwapper.Configuration;
using ProxySwapper.Patterns;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>Compiles a configuration to an admission policy, or reports what a policy cannot do.</summary>
internal sealed class PolicyCompiler
{
    /// <summary>
    /// How many targets are looked for before images are compared with each other, which costs most: enough for nearly all configurations,
    /// without a noticeable cost of its own.
    /// </summary>
    private const int MaximumTargets = 20;

    private readonly ProxySwapperOptions _options;
    private readonly ConfigurationLocations _locations;
    private readonly RuleExpressions _expressions;
    private readonly List<PolicyRejection> _rejections = [];
    private readonly List<PolicyExpression> _variables = [];
    private long _cost;

    private PolicyCompiler(ProxySwapperOptions options, ConfigurationLocations locations)
    {
        (_options, _locations) = (options, locations);
        _expressions = new RuleExpressions(options.ProxyUrl, locations);
    }

    /// <summary>Compiles options that <see cref="ConfigurationReader"/> has validated.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="locations">Where its keys are: the policy's comments contain line numbers.</param>
    public static CompiledPolicy Compile(ProxySwapperOptions options, ConfigurationLocations locations) =>
        new PolicyCompiler(options, locations).Compile();

    private CompiledPolicy Compile()
    {
        _rejections.AddRange(PolicyLimits.FindRejections(_options, _locations));
        var rules =
            _options.Rules.Count == 0 && _options.ProxyUrl is not null
                ? [_expressions.OfProxyUrl()]
                : _options.Rules.Select((rule, index) => _expressions.Of($"rules[{index}]", rule)).ToList();
        if (rules.Count == 0)
            _rejections.Add(new("rules", "rules or proxyUrl is required: no image would be rewritten"));
        else if (!rules.Exists(rule => rule.CanRewrite))
            _rejections.Add(
                new("rules", "CEL can express none of them: no image would be rewritten; use match and target, or the webhook")
            );
        _rejections.AddRange(_expressions.Rejections);
        AddPlaces(rules);
        var last = AddRules([.. rules.Where(rule => rule.Condition != PolicyRule.Never)], AddExclusions(rules));
        AddTargets(last);
        var total = CelCost.Usually(_cost);
        if (total > CelCost.MaximumOfPolicy)
            _rejections.Add(
                new(
                    "rules",
                    $"too many for a policy: for a Pod of {CelCost.Images} images they cost {total:N0} of the "
                        + $"{CelCost.MaximumOfPolicy:N0} units that the API server allows; "
                        + "use fewer wildcards and regular expressions, or the webhook"
                )
            );
        var mutation = PodExpressions.Mutation(_options.PatchLabel, HasPullSecrets);
        var policy = new AdmissionPolicy(Conditions(), _variables, mutation);
        return new CompiledPolicy(policy, _rejections);
    }

    private bool HasPullSecrets => _options.Rules.Any(rule => rule.PullSecret is not null);

    private List<PolicyExpression> Conditions()
    {
        var conditions = PodExpressions.Conditions(_options).ToList();
        foreach (var condition in conditions)
            RejectIfTooLong(PodExpressions.KeyOf(condition), condition, "use wildcards such as team-*, or the webhook");
        foreach (var (index, condition) in _options.AdmissionPolicy.MatchConditions.Index())
        {
            var key = $"admissionPolicy.matchConditions[{index}]";
            if (conditions.Exists(other => other.Name == condition.Name))
                _rejections.Add(
                    new($"{key}.name", $"another condition of the policy has the name '{condition.Name}'; choose a different one")
                );
            conditions.Add(new PolicyExpression(condition.Name, $"{key}.", condition.Expression));
            RejectIfTooLong($"{key}.expression", conditions[^1], "split it into several conditions, or use the webhook");
        }
        if (conditions.Count > CelCost.MaximumConditions)
            _rejections.Add(
                new(
                    "admissionPolicy.matchConditions",
                    $"too many for a policy: with its own it has {conditions.Count} conditions, and the API server allows "
                        + $"{CelCost.MaximumConditions}; combine some with &&"
                )
            );
        return conditions;
    }

    /// <summary>Rejects an expression that the API server would not parse.</summary>
    private void RejectIfTooLong(string key, PolicyExpression item, string advice)
    {
        if (item.Text.Length > CelCost.MaximumLength)
            _rejections.Add(
                new(
                    key,
                    $"too long for a policy: its CEL expression has {item.Text.Length:N0} characters, and the API server allows "
                        + $"{CelCost.MaximumLength:N0}; {advice}"
                )
            );
    }

    private void AddPlaces(IEnumerable<PolicyRule> rules)
    {
        var atTarget = rules
            .SelectMany(rule => rule.AtTarget)
            .Concat(_expressions.AtProxyUrl())
            .Select(at => PatternExpressions.AsWritten(at, PodImageExpressions.Written))
            .OfType<string>()
            .Distinct()
            .Take(MaximumTargets);
        _variables.AddRange(PodImageExpressions.Variables([.. atTarget]));
        Add(
            "placeholderImages",
            "references",
            "Normalised references, with registry, path and tag or digest. Invalid references are left unchanged.",
            ReferenceExpressions.Normalise("variables.images", _options.PlaceholderImages),
            CelCost.OfVariable([
                2 * ReferenceExpressions.Cost + 3 * CelCost.OfSubstring() + CelCost.OfLookup(_options.PlaceholderImages.Count),
            ])
        );
    }

    /// <summary>Excludes images already at a target, and ignored ones.</summary>
    /// <returns>The variable with the remaining images.</returns>
    private string AddExclusions(IEnumerable<PolicyRule> rules)
    {
        var atTarget = rules
            .SelectMany(rule => rule.AtTarget.Select(at => new Exclusion(rule.Key, $"Where {rule.Place} sends images.", at)))
            .Concat(_expressions.AtProxyUrl().Select(at => new Exclusion("proxyUrl", "proxyUrl.", at)))
            .DistinctBy(item => item.Condition.Expression);
        var ignored = _options.IgnoreImages.Select(
            (text, index) => new Exclusion($"ignoreImages[{index}]", $"ignoreImages[{index}]: {text}", Ignored(text))
        );
        var source = "references";
        foreach (var (index, chunk) in RuleChunks.Cut(atTarget.Concat(ignored), item => item.Condition.Cost, RuleChunks.TextOf).Index())
        {
            var name = index == 0 ? "candidates" : $"candidates_{index + 1}";
            Add(
                chunk is [var only] ? only.Key : "ignoreImages",
                name,
                "Without images that are already at a target or ignored.",
                RuleChunks.Exclude(source, chunk),
                CelCost.OfVariable(chunk.Select(item => item.Condition.Cost))
            );
            source = name;
        }
        return source;
    }

    private static CelExpression Ignored(string text) =>
        ImagePattern.TryParse(text, out var pattern, out var fault)
            ? PatternExpressions.Of(pattern)
            : throw new ArgumentException(fault, nameof(text));

    /// <summary>Gives each reference the target of the first rule that matches it.</summary>
    private string AddRules(IReadOnlyList<PolicyRule> rules, string source)
    {
        foreach (var (index, chunk) in RuleChunks.Cut(rules, CostOf, RuleChunks.TextOf).Index())
        {
            var name = index == 0 ? "decisions" : $"decisions_{index + 1}";
            Add(
                chunk is [var only] ? only.Key : "rules",
                name,
                "The first rule that matches a reference decides its target; '' if none has matched yet.",
                RuleChunks.Decide(source, chunk, isFirst: index == 0),
                CelCost.OfVariable(chunk.Select(CostOf))
            );
            source = name;
        }
        return source;
    }

    private static long CostOf(PolicyRule rule) => rule.Condition.Cost + rule.Target.Cost;

    private void AddTargets(string decisions)
    {
        var split = HasPullSecrets ? ".map(r, {'image': r.image, 'target': r.target.split(' ')[0]})" : "";
        Add(
            "rules",
            "targets",
            "From the image as written to its target. Results that are not valid references are left unchanged.",
            $$"""
            variables.{{decisions}}{{split}}.filter(r, {{ReferenceExpressions.IsReference("r.target")}})
              .transformMapEntry(_, r, {r.image: r.target})
            """,
            CelCost.OfVariable([ReferenceExpressions.Cost + (HasPullSecrets ? CelCost.OfSubstring() : 0)])
        );
        _variables.AddRange(PodExpressions.Changes);
        if (HasPullSecrets)
            _variables.AddRange(PullSecretExpressions.Variables(decisions));
    }

    /// <summary>Adds a variable.</summary>
    /// <param name="key">The configuration key whose value makes it long.</param>
    /// <param name="name">Its name.</param>
    /// <param name="comment">What it is.</param>
    /// <param name="expression">Its CEL.</param>
    /// <param name="cost">What evaluating it costs at most.</param>
    private void Add(string key, string name, string comment, string expression, long cost)
    {
        _variables.Add(new PolicyExpression(name, comment, expression));
        RejectIfTooLong(key, _variables[^1], "use wildcards such as team-*, or the webhook");
        if (CelCost.Usually(cost) is > CelCost.MaximumOfVariable and var usual)
            _rejections.Add(
                new(
                    key,
                    $"costs too much for a policy: for a Pod of {CelCost.Images} images its CEL expression costs {usual:N0} of the "
                        + $"{CelCost.MaximumOfVariable:N0} units that the API server allows for each; use a shorter regular expression or "
                        + "fewer wildcards, several rules instead of one, or the webhook"
                )
            );
        _cost += cost;
    }
}
