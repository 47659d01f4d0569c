using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using ProxySwapper.Admission;
using ProxySwapper.Admission.Json;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.Benchmarks.Swap;

/// <summary>From the bytes of a review to those of its response, without HTTP.</summary>
[MemoryDiagnoser]
public class ReviewBenchmarks
{
    private readonly RuleSet _rules = RuleSet.Compile(
        ConfigurationReader.ReadText("benchmark", SwapMeasurement.Configuration, EnvironmentVariables.None)
    );
    private ReadOnlySequence<byte> _review;

    [Params(7, 200)]
    public int KiB { get; set; }

    /// <summary>In blocks of the size in which Kestrel delivers a body.</summary>
    [GlobalSetup]
    public void MakeReview() => _review = Segment.Split(Encoding.UTF8.GetBytes(ReviewSamples.OfSize(KiB * 1024)), 4096);

    [Benchmark]
    public int Review()
    {
        using var response = new Utf8JsonBuffer();
        return new AdmissionReviewer(_rules).TryReview(_review, response, out var error)
            ? response.Written.Length
            : throw new InvalidOperationException(error);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public static ReadOnlySequence<byte> Split(byte[] bytes, int size)
        {
            var first = new Segment { Memory = bytes.AsMemory(0, Math.Min(size, bytes.Length)) };
            var last = first;
            for (var start = size; start < bytes.Length; start += size)
            {
                var next = new Segment { Memory = bytes.AsMemory(start, Math.Min(size, bytes.Length - start)), RunningIndex = start };
                last.Next = next;
                last = next;
            }
            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}
