using ProxySwapper.Configuration;
using ProxySwapper.Patterns;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>Compiles a configuration to an admission policy, or reports what a policy cannot do.</summary>
internal sealed class PolicyCompiler
{
    private readonly ProxySwapperOptions _options;
    private readonly ConfigurationLocations _locations;
    private readonly RuleExpressions _expressions;
    private readonly List<PolicyRefusal> _refusals = [];
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
        _refusals.AddRange(PolicyLimits.RefusalsOf(_options, _locations));
        var rules =
            _options.Rules.Count == 0 && _options.ProxyUrl is not null
                ? [_expressions.OfProxyUrl()]
                : _options.Rules.Select((rule, index) => _expressions.Of($"rules[{index}]", rule)).OfType<PolicyRule>().ToList();
        if (_options.Rules.Count == 0 && _options.ProxyUrl is null)
            _refusals.Add(new("rules", "rules or proxyUrl is required: no image would be rewritten"));
        _refusals.AddRange(_expressions.Refusals);
        AddPlaces();
        var last = AddRules(rules, AddExclusions(rules));
        AddTargets(last);
        var total = CelCost.Usually(_cost);
        if (total > CelCost.MaximumOfPolicy)
            _refusals.Add(
                new(
                    "rules",
                    $"too many for a policy: for a Pod of {CelCost.Images} images they cost {total:N0} of the "
                        + $"{CelCost.MaximumOfPolicy:N0} units that the API server allows; "
                        + "use fewer wildcards and regular expressions, or the webhook"
                )
            );
        var mutation = PodExpressions.Mutation(_options.PatchLabel, HasPullSecrets);
        var policy = new AdmissionPolicy(Conditions(), _variables, mutation);
        _refusals.AddRange(TooLong());
        return new CompiledPolicy(policy, _refusals);
    }

    private bool HasPullSecrets => _options.Rules.Any(rule => rule.PullSecret is not null);

    private List<PolicyExpression> Conditions()
    {
        var conditions = PodExpressions.Conditions(_options).ToList();
        foreach (var (index, condition) in _options.AdmissionPolicy.MatchConditions.Index())
        {
            var key = $"admissionPolicy.matchConditions[{index}]";
            if (conditions.Exists(other => other.Name == condition.Name))
                _refusals.Add(
                    new($"{key}.name", $"another condition of the policy has the name '{condition.Name}'; choose a different one")
                );
            conditions.Add(new PolicyExpression(condition.Name, $"{key}.", condition.Expression));
        }
        return conditions;
    }

    /// <summary>Expressions that the API server would not parse: of conditions, and of single rules, which cannot be split.</summary>
    private IEnumerable<PolicyRefusal> TooLong() =>
        from item in PodExpressions
            .Conditions(_options)
            .Select(condition => (Key: PodExpressions.KeyOf(condition), condition.Expression))
            .Concat(_variables.Select(variable => (Key: "rules", variable.Expression)))
        where item.Expression.Length > CelCost.MaximumLength - 1000
        select new PolicyRefusal(
            item.Key,
            $"too long for a policy: its CEL expression has {item.Expression.Length:N0} characters, and the API server allows "
                + $"{CelCost.MaximumLength:N0}; use wildcards such as team-*, or the webhook"
        );

    private void AddPlaces()
    {
        _variables.AddRange(PodImageExpressions.Variables);
        Add(
            "references",
            "Normalised references, with registry, path and tag or digest. Invalid references are left unchanged.",
            ReferenceExpressions.Normalise("variables.images", _options.PlaceholderImages),
            CelCost.OfVariable([2 * ReferenceExpressions.Cost + 3 * CelCost.OfCut()])
        );
    }

    /// <summary>Excludes images already at a target, and ignored ones.</summary>
    /// <returns>The variable with the remaining images.</returns>
    private string AddExclusions(IEnumerable<PolicyRule> rules)
    {
        var atTarget = rules
            .SelectMany(rule => rule.AtTarget.Select(condition => (Comment: $"Where {rule.Key} sends images.", condition)))
            .Concat(_expressions.AtProxyUrl().Select(condition => (Comment: "proxyUrl.", condition)))
            .DistinctBy(item => item.condition.Expression);
        var ignored = _options.IgnoreImages.Select((text, index) => (Comment: $"ignoreImages[{index}]: {text}", condition: Ignored(text)));
        var source = "references";
        foreach (var (index, chunk) in RuleChunks.Cut(atTarget.Concat(ignored), item => item.condition.Cost, RuleChunks.TextOf).Index())
        {
            var name = index == 0 ? "candidates" : $"candidates_{index + 1}";
            Add(
                name,
                "Without images that are already at a target or ignored.",
                RuleChunks.Exclude(source, chunk),
                CelCost.OfVariable(chunk.Select(item => item.condition.Cost))
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
            "targets",
            "From the image as written to its target. Results that are not valid references are left unchanged.",
            $$"""
            variables.{{decisions}}{{split}}.filter(r, {{ReferenceExpressions.IsReference("r.target")}})
              .transformMapEntry(_, r, {r.image: r.target})
            """,
            CelCost.OfVariable([ReferenceExpressions.Cost + (HasPullSecrets ? CelCost.OfCut() : 0)])
        );
        _variables.AddRange(PodExpressions.Changes);
        if (HasPullSecrets)
            _variables.AddRange(PullSecretExpressions.Variables(decisions));
    }

    private void Add(string name, string comment, string expression, long cost)
    {
        _variables.Add(new PolicyExpression(name, comment, expression));
        _cost += cost;
    }
}

/// <summary>A policy, and the parts of the configuration that it lacks.</summary>
internal sealed record CompiledPolicy(AdmissionPolicy Policy, IReadOnlyList<PolicyRefusal> Refusals);

/// <summary>A setting that a policy cannot express.</summary>
/// <param name="Key">The key in the configuration, such as <c>rules[2].matchRegex</c>.</param>
/// <param name="Reason">Why, and what to do.</param>
internal sealed record PolicyRefusal(string Key, string Reason);
