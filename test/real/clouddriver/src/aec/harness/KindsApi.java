package aec.harness;

import com.netflix.spinnaker.clouddriver.model.ElasticIpProvider;
import com.netflix.spinnaker.clouddriver.model.Instance;
import com.netflix.spinnaker.clouddriver.model.InstanceProvider;
import com.netflix.spinnaker.clouddriver.model.KeyPairProvider;
import com.netflix.spinnaker.clouddriver.model.NetworkProvider;
import com.netflix.spinnaker.clouddriver.model.SubnetProvider;
import com.netflix.spinnaker.kork.web.exceptions.NotFoundException;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** The routes of what agents without on-demand refresh cache; those of images and stacks are published. */
@RestController
public class KindsApi {
  private final List<InstanceProvider<?, ?>> instances;
  private final List<SubnetProvider<?>> subnets;
  private final List<NetworkProvider<?>> networks;
  private final List<KeyPairProvider<?>> keyPairs;
  private final List<ElasticIpProvider<?>> elasticIps;

  public KindsApi(
      List<InstanceProvider<?, ?>> instances,
      List<SubnetProvider<?>> subnets,
      List<NetworkProvider<?>> networks,
      List<KeyPairProvider<?>> keyPairs,
      List<ElasticIpProvider<?>> elasticIps) {
    this.instances = instances;
    this.subnets = subnets;
    this.networks = networks;
    this.keyPairs = keyPairs;
    this.elasticIps = elasticIps;
  }

  @GetMapping("/instances/{account}/{region}/{id:.+}")
  Instance instance(
      @PathVariable String account, @PathVariable String region, @PathVariable String id) {
    for (InstanceProvider<?, ?> provider : instances) {
      Instance found = provider.getInstance(account, region, id);
      if (found != null) {
        return found;
      }
    }
    throw new NotFoundException("Instance not found (id: " + id + ")");
  }

  @GetMapping("/subnets/{provider}")
  List<?> subnets(@PathVariable String provider) {
    return subnets.stream()
        .filter(one -> provider.equals(one.getCloudProvider()))
        .flatMap(one -> one.getAll().stream())
        .toList();
  }

  @GetMapping("/networks/{provider}")
  List<?> networks(@PathVariable String provider) {
    return networks.stream()
        .filter(one -> provider.equals(one.getCloudProvider()))
        .flatMap(one -> one.getAll().stream())
        .toList();
  }

  @GetMapping("/keyPairs")
  List<?> keyPairs() {
    return keyPairs.stream().map(KeyPairProvider::getAll).flatMap(Collection::stream).toList();
  }

  @GetMapping(value = "/elasticIps/{account}", params = "region")
  List<?> elasticIps(@PathVariable String account, @RequestParam String region) {
    return elasticIps.stream()
        .map(one -> one.getAllByAccountAndRegion(account, region))
        .filter(Objects::nonNull)
        .flatMap(Collection::stream)
        .toList();
  }
}
